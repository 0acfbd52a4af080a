//! Who we are to AWS, and where its services are.
//!
//! Knows how long credentials hold, and finds new ones as Amazon's tools do: environment, profile, single sign-on, web identity,
//! container, instance. Never asks for them more often than it must, nor keeps those that were refused. Its data comes from
//! the URL and from aws-config.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_types::service_config::ServiceConfigKey;

use super::Service;
use super::connector::Connector;
use super::endpoint::{Wish, endpoint, is_region};
use super::quiet::run;
use super::trouble::{no_credentials, wrong};
use crate::http::Http;
use crate::store::remote::Place;
use crate::store::{StoreError, StoreErrorKind as Kind};

/// A file that somebody changes, or a role that is taken away, is noticed after this time at the latest.
const KEPT: Duration = Duration::from_secs(600);

/// A log-in, found when it is needed.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) shown: String,
    pub(super) service: Service,
    pub(super) profile: Option<String>,
    /// `None`: the usual one of the profile or of this machine.
    pub(super) region: Option<String>,
    /// `None`: the service's own, or the one that the environment or the profile names.
    pub(super) endpoint: Option<String>,
    pub(super) keys: Option<Keys>,
    /// How those who give credentials are reached.
    pub(super) http: Http,
    pub(super) held: Mutex<Option<Login>>,
}

/// An access key, by reference.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) id: String,
    pub(super) secret: Place,
}

/// What a request needs.
#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) credentials: Credentials,
    pub(super) region: String,
    /// `https://HOST`.
    pub(super) endpoint: String,
    until: Instant,
    /// It was found just now: looking again would give no other.
    pub(super) is_fresh: bool,
}

impl Session {
    /// A log-in that holds, as far as is known.
    pub(super) fn login(&self) -> Result<Login, StoreError> {
        let mut held = self.held();
        if let Some(login) = held.as_ref().filter(|login| Instant::now() < login.until) {
            return Ok(login.clone());
        }
        let fresh = self.find()?;
        *held = Some(Login {
            is_fresh: false,
            ..fresh.clone()
        });
        Ok(fresh)
    }

    /// The log-in does not hold any more.
    pub(super) fn forget(&self) {
        if let Some(keys) = &self.keys {
            keys.secret.forget();
        }
        *self.held() = None;
    }

    fn held(&self) -> MutexGuard<'_, Option<Login>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self) -> Result<Login, StoreError> {
        let connector = Connector::new(&self.http);
        let given = self.given()?;
        let found = run(|| async {
            let found = self.load(&connector, given);
            let found = tokio::time::timeout(self.http.deadline(), found).await;
            found.unwrap_or_else(|_| Err(self.too_late()))
        });
        found.unwrap_or_else(|error| {
            let hint = "close what this machine runs too much of; it will be tried again";
            let problem = format!("no thread can be started: {}", error.kind());
            Err(StoreError::new(
                &self.shown,
                Kind::Unreachable,
                problem,
                hint,
            ))
        })
    }

    /// The access key that the store's URL names.
    fn given(&self) -> Result<Option<Credentials>, StoreError> {
        let Some(Keys { id, secret }) = &self.keys else {
            return Ok(None);
        };
        let (secret, _) = secret.recent(&self.shown)?;
        let secret = secret.expose();
        Ok(Some(Credentials::new(id, secret, None, None, "sftoken")))
    }

    async fn load(
        &self,
        connector: &Connector,
        given: Option<Credentials>,
    ) -> Result<Login, StoreError> {
        let mut loader =
            aws_config::defaults(BehaviorVersion::latest()).http_client(connector.clone());
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let config = loader.load().await;
        let region = self.region_of(&config)?;
        let credentials = match given {
            Some(credentials) => credentials,
            None => {
                let provider = self.provider(&config, connector);
                let found = provider.provide_credentials().await;
                found.map_err(|error| no_credentials(self, &error, connector.last()))?
            }
        };
        Ok(Login {
            endpoint: self.endpoint_of(&config, &region)?,
            until: Instant::now() + life(&credentials),
            is_fresh: true,
            credentials,
            region,
        })
    }

    /// NOTE: whoever names a profile means it. The default chain would take the environment's credentials first.
    fn provider(&self, config: &SdkConfig, connector: &Connector) -> SharedCredentialsProvider {
        let named = self.profile.as_ref().map(|profile| {
            let about = ProviderConfig::without_region()
                .with_region(config.region().cloned())
                .with_http_client(connector.clone());
            let provider = ProfileFileCredentialsProvider::builder()
                .configure(&about)
                .profile_name(profile)
                .build();
            SharedCredentialsProvider::new(provider)
        });
        named
            .or_else(|| config.credentials_provider())
            .unwrap_or_else(|| {
                let none = ProfileFileCredentialsProvider::builder().build();
                SharedCredentialsProvider::new(none)
            })
    }

    fn region_of(&self, config: &SdkConfig) -> Result<String, StoreError> {
        let region = config.region().map(|region| region.as_ref().to_owned());
        let region = region.ok_or_else(|| {
            let problem = "no region is known";
            let hint = "write it into the store's URL, as in awssm://eu-west-1/NAME; or set AWS_REGION, or region in the profile";
            wrong(self, problem, hint)
        })?;
        match is_region(&region) {
            true => Ok(region),
            false => Err(wrong(
                self,
                "the region in AWS_REGION or in the profile is none",
                "a region is written like eu-west-1",
            )),
        }
    }

    fn endpoint_of(&self, config: &SdkConfig, region: &str) -> Result<String, StoreError> {
        if let Some(given) = &self.endpoint {
            return Ok(given.clone());
        }
        if let Some(named) = named_endpoint(config, self.service) {
            return Ok(named);
        }
        let wish = Wish {
            fips: config.use_fips().unwrap_or_default(),
            dual_stack: config.use_dual_stack().unwrap_or_default(),
        };
        endpoint(self.service, region, wish).ok_or_else(|| {
            let problem = format!("no endpoint for both IPv4 and IPv6 is known in {region}");
            let hint = "give it with endpoint=https://HOST in the store's URL, or unset AWS_USE_DUALSTACK_ENDPOINT";
            wrong(self, problem, hint)
        })
    }

    pub(super) fn too_late(&self) -> StoreError {
        StoreError::new(
            &self.shown,
            Kind::Timeout,
            "no credentials were found in time",
            "see what `aws sts get-caller-identity` waits for, or give it more time with timeout=; it will be tried again",
        )
    }
}

/// `AWS_ENDPOINT_URL_SECRETS_MANAGER`, `AWS_ENDPOINT_URL`, or `endpoint_url` of the profile.
fn named_endpoint(config: &SdkConfig, service: Service) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id(service.id())
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok();
    let own = config
        .service_config()
        .zip(key)
        .and_then(|(from, key)| from.load_config(key));
    let named = own.or_else(|| config.endpoint_url().map(str::to_owned))?;
    Some(named.trim_end_matches('/').to_owned())
}

/// A tenth of their life is left for the request that they are used for.
fn life(credentials: &Credentials) -> Duration {
    let rest = credentials
        .expiry()
        .map(|end| end.duration_since(SystemTime::now()).unwrap_or_default());
    rest.map_or(KEPT, |rest| rest.mul_f32(0.9).min(KEPT))
}

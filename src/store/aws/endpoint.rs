//! Where a service listens in a region.
//!
//! Knows Amazon's partitions, by how their regions' names begin. Never asks anything. Regions come from the URL or from
//! where Amazon's tools look.

use super::Service;

/// A partition's regions, its domain, and its domain for IPv6; none is known for some.
const PARTITIONS: [(&str, &str, Option<&str>); 6] = [
    (
        "cn-",
        "amazonaws.com.cn",
        Some("api.amazonwebservices.com.cn"),
    ),
    ("eusc-", "amazonaws.eu", Some("api.amazonwebservices.eu")),
    ("us-isob-", "sc2s.sgov.gov", None),
    ("us-isof-", "csp.hci.ic.gov", None),
    ("eu-isoe-", "cloud.adc-e.uk", None),
    ("us-iso-", "c2s.ic.gov", None),
];
const COMMON: (&str, Option<&str>) = ("amazonaws.com", Some("api.aws"));

/// What makes an endpoint another one: `AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wish {
    pub(super) fips: bool,
    pub(super) dual_stack: bool,
}

/// Whether a text may be a region: it becomes a part of a host name.
pub(super) fn is_region(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let closed = !text.starts_with('-') && !text.ends_with('-');
    !text.is_empty() && text.len() <= 32 && closed && text.bytes().all(fits)
}

/// The URL of a service in a region; `None`: nobody knows it with these wishes.
pub(super) fn endpoint(service: Service, region: &str, wish: Wish) -> Option<String> {
    let known = PARTITIONS
        .iter()
        .find(|(start, ..)| region.starts_with(start));
    let (domain, both) = known.map_or(COMMON, |(_, domain, both)| (*domain, *both));
    let domain = match wish.dual_stack {
        true => both?,
        false => domain,
    };
    // In GovCloud, Systems Manager's usual endpoint is the FIPS one.
    let usual = service == Service::ParameterStore && region.starts_with("us-gov-");
    let fips = match wish.fips && !usual {
        true => "-fips",
        false => "",
    };
    Some(format!(
        "https://{}{fips}.{region}.{domain}",
        service.word()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(service: Service, region: &str, fips: bool, dual_stack: bool, host: Option<&str>) {
        let told = endpoint(service, region, Wish { fips, dual_stack });
        let wanted = host.map(|host| format!("https://{host}"));
        assert_eq!(told, wanted);
    }

    #[test]
    fn each_partition_has_its_domain() {
        use Service::{ParameterStore as P, SecretsManager as S};
        for (service, region, fips, dual, host) in [
            (
                S,
                "eu-west-1",
                false,
                false,
                "secretsmanager.eu-west-1.amazonaws.com",
            ),
            (P, "eu-west-1", false, false, "ssm.eu-west-1.amazonaws.com"),
            (
                S,
                "us-east-1",
                true,
                false,
                "secretsmanager-fips.us-east-1.amazonaws.com",
            ),
            (
                P,
                "ca-central-1",
                true,
                false,
                "ssm-fips.ca-central-1.amazonaws.com",
            ),
            (
                P,
                "us-gov-west-1",
                true,
                false,
                "ssm.us-gov-west-1.amazonaws.com",
            ),
            (
                S,
                "eu-west-1",
                false,
                true,
                "secretsmanager.eu-west-1.api.aws",
            ),
            (
                P,
                "cn-north-1",
                false,
                false,
                "ssm.cn-north-1.amazonaws.com.cn",
            ),
            (
                P,
                "us-iso-east-1",
                false,
                false,
                "ssm.us-iso-east-1.c2s.ic.gov",
            ),
            (
                P,
                "us-isob-east-1",
                false,
                false,
                "ssm.us-isob-east-1.sc2s.sgov.gov",
            ),
            (
                P,
                "eusc-de-east-1",
                false,
                false,
                "ssm.eusc-de-east-1.amazonaws.eu",
            ),
        ] {
            check(service, region, fips, dual, Some(host));
        }
        check(S, "us-iso-east-1", false, true, None);
    }

    #[test]
    fn a_region_is_a_part_of_a_host_name() {
        assert!(is_region("eu-west-1") && is_region("us-gov-east-1"));
        for odd in [
            "",
            "-",
            "EU-west-1",
            "eu.west",
            "eu-west-1/x",
            "eu west",
            "x#",
            "eu-",
        ] {
            assert!(!is_region(odd), "{odd}");
        }
    }
}

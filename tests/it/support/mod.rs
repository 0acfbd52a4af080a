//! Real servers for the tests: started on loopback, gone with the test.

pub(crate) mod dovecot;
pub(crate) mod faulty;
pub(crate) mod moto;
pub(crate) mod openbao;
pub(crate) mod proxy;
pub(crate) mod run;
pub(crate) mod salesforce;
pub(crate) mod secret_service;
pub(crate) mod stage;
pub(crate) mod stub;
pub(crate) mod tls_front;
pub(crate) mod tls_server;

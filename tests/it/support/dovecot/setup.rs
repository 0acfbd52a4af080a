//! What Dovecot reads: its configuration, and its certificate.

use std::fs;
use std::net::{Ipv6Addr, TcpListener};
use std::path::Path;
use std::process::Command;

use super::system::{id, is_root, program};
use super::{Dovecot, MAIL_UID, PASSWORD};

pub(super) fn config(server: &Dovecot) -> String {
    let root = server.folder.path().display();
    let (imap, imaps, lmtp) = (server.imap, server.imaps, server.lmtp);
    // without IPv6 only the tests of it fail
    let six = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).map_or("", |_| ", ::1");
    let (uid, users) = if is_root() {
        (MAIL_UID.to_string(), String::new())
    } else {
        let (uid, gid) = (id("-u"), id("-g"));
        let me = id("-un");
        let users = format!(
            "default_internal_user = {me}\ndefault_login_user = {me}\ndefault_internal_group = {}\n\
             service anvil {{\n chroot =\n}}\nservice imap-login {{\n chroot =\n}}\n# {gid}\n",
            id("-gn")
        );
        (uid, users)
    };
    format!(
        "{}\
         base_dir = {root}/run\nstate_dir = {root}/state\nlog_path = {root}/dovecot.log\n\
         protocols = imap lmtp\nlisten = 127.0.0.1, 127.0.0.2{six}\nssl = yes\n\
         auth_mechanisms = plain login\n\
         # a refused log-in is not delayed, nor is the next one of its address\nauth_failure_delay = 0\n\
         service anvil {{\n unix_listener anvil-auth-penalty {{\n mode = 0\n }}\n}}\n\
         mail_uid = {uid}\nmail_gid = {uid}\nfirst_valid_uid = {uid}\nfirst_valid_gid = 1\n{users}\
         mailbox_idle_check_interval = 1 secs\nlmtp_save_to_detail_mailbox = yes\nmail_max_userip_connections = 0\nmail_fsync = never\n\
         namespace inbox {{\n inbox = yes\n mailbox Spam {{\n special_use = \\Junk\n auto = create\n }}\n}}\n\
         service imap-login {{\n inet_listener imap {{\n port = {imap}\n }}\n\
         inet_listener imaps {{\n port = {imaps}\n ssl = yes\n }}\n}}\n\
         service lmtp {{\n inet_listener lmtp {{\n port = {lmtp}\n }}\n}}\n",
        of_version(&root.to_string(), &uid)
    )
}

/// A certificate of the client's is asked for, and demanded before a log-in.
pub(super) fn client_certificates(server: &Dovecot) -> String {
    let ca = server.ca_file().display().to_string();
    let words = if is_old() {
        format!("ssl_ca = <{ca}\nssl_require_crl = no\nssl_verify_client_cert = yes\n")
    } else {
        format!(
            "ssl_server_ca_file = {ca}\nssl_server_require_crl = no\nssl_server_request_client_cert = yes\n"
        )
    };
    words + "auth_ssl_require_client_cert = yes\n"
}

/// A namespace `Full` that holds as many mails as its quota says. It has a root of its own, because within
/// one root a MOVE costs nothing and is not checked. The form for 2.4 is the documentation's, and was not
/// run yet: Debian 12 has 2.3.
pub(super) fn quota(server: &Dovecot, mails: u32) -> String {
    let root = server.folder.path().display();
    if is_old() {
        return format!(
            "mail_plugins = quota\nprotocol imap {{\n mail_plugins = quota imap_quota\n}}\n\
             namespace inbox {{\n separator = /\n}}\n\
             namespace full {{\n prefix = Full/\n separator = /\n location = maildir:{root}/mail/%u/full\n}}\n\
             plugin {{\n quota = count:Full:ns=Full/\n quota_rule = *:messages={mails}\n quota_vsizes = yes\n}}\n"
        );
    }
    format!(
        "mail_plugins {{\n quota = yes\n}}\nprotocol imap {{\n mail_plugins {{\n imap_quota = yes\n }}\n}}\n\
         namespace inbox {{\n separator = /\n}}\n\
         namespace full {{\n prefix = Full/\n separator = /\n mail_driver = maildir\n mail_path = {root}/mail/%{{user}}/full\n\
         quota full {{\n driver = count\n message_count = {mails}\n }}\n}}\n"
    )
}

/// Whether it is of the line before 2.4.
pub(super) fn is_old() -> bool {
    let version = Command::new(program("dovecot")).arg("--version").output();
    version.unwrap().stdout.starts_with(b"2.3.")
}

/// What 2.4 spells in another way than the versions before.
fn of_version(root: &str, uid: &str) -> String {
    if is_old() {
        return format!(
            "ssl_cert = <{root}/tls/server.crt\nssl_key = <{root}/tls/server.key\n\
             disable_plaintext_auth = yes\nauth_username_format = %Ln\n\
             mail_location = maildir:{root}/mail/%u\n\
             passdb {{\n driver = static\n args = password={{PLAIN}}{PASSWORD}\n}}\n\
             userdb {{\n driver = static\n args = uid={uid} gid={uid} home={root}/mail/%u\n}}\n"
        );
    }
    format!(
        "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n\
         ssl_server_cert_file = {root}/tls/server.crt\nssl_server_key_file = {root}/tls/server.key\n\
         auth_allow_cleartext = no\nauth_username_format = %{{user | username | lower}}\n\
         mail_driver = maildir\nmail_path = {root}/mail/%{{user}}\n\
         passdb static {{\n password = {{PLAIN}}{PASSWORD}\n}}\n\
         userdb static {{\n fields {{\n uid = {uid}\n gid = {uid}\n home = {root}/mail/%{{user}}\n }}\n}}\n"
    )
}

/// An authority, a certificate of it for `localhost`, 127.0.0.1 and ::1, and one for a client.
pub(crate) fn certificates(folder: &Path) {
    let openssl = |line: &str| {
        let output = Command::new("openssl")
            .args(line.split(' '))
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "openssl {line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    fs::write(
        folder.join("extensions"),
        "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n",
    )
    .unwrap();
    openssl(&format!(
        "req -x509 {key} -days 30 -keyout ca.key -out ca.crt -subj /CN=sftoken-test-authority -addext keyUsage=critical,keyCertSign,cRLSign"
    ));
    for name in ["server", "client"] {
        openssl(&format!(
            "req {key} -keyout {name}.key -out {name}.csr -subj /CN={name}"
        ));
        openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile extensions -out {name}.crt"
        ));
    }
}

//! Why a mail is not believed, or not ours: closed sets of reasons.
//!
//! Knows a stable word (`kind`), a sentence and a remedy for each reason. Never knows the mail: a
//! reason holds no text of it. Reasons are given by every gate of [`examine`](super::examine).

use std::fmt;

macro_rules! reasons {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $word:literal $sentence:literal, $hint:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = $sentence] $variant,)*
        }

        impl $name {
            /// Every reason, in the order of the gates.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable word for machines: in JSON, in the audit trail, in the documentation.
            #[must_use]
            pub fn kind(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// What a person can do about it.
            #[must_use]
            pub fn hint(self) -> &'static str {
                match self { $(Self::$variant => $hint,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $sentence,)* })
            }
        }
    };
}

reasons! {
    /// Why a mail that claims to bring a token is refused. The words are stable.
    Refusal {
        TooLarge "too_large" "the mail is larger than a token mail can be", "nothing to do: a token mail has a few kilobytes";
        BadBytes "bad_bytes" "the mail holds a NUL, or a line end that is not CR LF", "fetch the mail as the server holds it; an editor or a gateway may have changed its line ends";
        BadStructure "bad_structure" "the header does not end in an empty line", "fetch the whole mail again";
        HeaderSyntax "header_syntax" "a header field is not written as RFC 5322 asks", "a gateway may have damaged the mail: watch the mailbox that Salesforce writes to";
        TooManyHeaders "too_many_headers" "the mail has more than 500 header fields", "nothing to do: no genuine mail has";
        HeaderTooLong "header_too_long" "a header field is longer than 16 KiB", "nothing to do: no genuine mail has one";
        HeaderMissing "header_missing" "From, Subject or Date is missing", "nothing to do: no genuine mail lacks them";
        HeaderDuplicate "header_duplicate" "a header field that must stand once stands twice", "nothing to do: someone added a header field to the mail";
        SubjectInvalid "subject_invalid" "the subject holds control characters or cannot be decoded", "nothing to do: no genuine subject does";
        FromInvalid "from_invalid" "From is not exactly one plain address", "nothing to do: a genuine mail names one address";
        FromNotAllowed "from_not_allowed" "From is not one of the trusted senders", "if Salesforce writes to you from this address, add it to [trust] senders";
        DkimMissing "dkim_missing" "the mail has no DKIM signature", "watch the mailbox that Salesforce writes to; a forwarder may have dropped the signature";
        DkimTooMany "dkim_too_many" "the mail has more DKIM signatures than are looked at, or keys than are asked for, and none of those proves it", "watch the mailbox that Salesforce writes to; see [trust] max_signatures and max_dns_questions";
        DkimMalformed "dkim_malformed" "the DKIM signature is not written as RFC 6376 asks", "nothing to do: Salesforce's are";
        DkimNotAligned "dkim_not_aligned" "no DKIM signature is by a trusted domain that is the sender's own or its parent", "if Salesforce signs your mail with another domain, add it to [trust] signing_domains";
        DkimLTag "dkim_l_tag" "the DKIM signature covers only a part of the body (l=)", "nothing to do: anyone can append to such a mail";
        DkimWeak "dkim_weak" "the DKIM signature uses SHA-1, an unknown algorithm or a key below 1024 bits", "nothing to do: such signatures can be forged";
        DkimSelectorDenied "dkim_selector_denied" "the DKIM signature is by a selector that signs the mail of Salesforce's staff", "see [trust] denied_selectors";
        DkimUnsignedHeader "dkim_unsigned_header" "the DKIM signature does not cover From, Subject, Date and the fields of required_signed", "if it is a field of [trust] required_signed, remove that; else nothing to do: whoever forwarded the mail could have changed it";
        DkimFuture "dkim_future" "the DKIM signature was made in the future", "check this machine's clock";
        DkimExpired "dkim_expired" "the DKIM signature has expired (x=)", "reset the token again, and keep sftoken running; for an old file, give its time with --now";
        DkimKeyMissing "dkim_key_missing" "the DNS has no such DKIM key, or not exactly one", "an old mail's key may be gone from the DNS: give it with --keys";
        DkimKeyMalformed "dkim_key_malformed" "the DKIM key record cannot be read", "check the record, or the file given with --keys";
        DkimKeyRevoked "dkim_key_revoked" "the DKIM key has been revoked", "reset the token again: the new mail is signed with a valid key";
        DkimKeyTesting "dkim_key_testing" "the DKIM key is marked as being tested (t=y)", "nothing to do: its owner asks not to rely on it";
        DkimKeyRestricted "dkim_key_restricted" "the DKIM key is not meant for this use", "nothing to do: the key is for another service, algorithm or identity";
        DkimKeyNotPinned "dkim_key_not_pinned" "the DKIM signature is not by a pinned key", "if Salesforce has renewed its key, look the new one up and add it to [trust] pinned_keys; else a gateway may have changed the header";
        DkimFailBody "dkim_fail_body" "the body was changed after it was signed", "a gateway may add banners or rewrite links: watch the mailbox that Salesforce writes to";
        DkimFailSignature "dkim_fail_signature" "the DKIM signature does not fit the header and the key", "a gateway may have changed the header: watch the mailbox that Salesforce writes to";
        ArMissing "ar_missing" "no Authentication-Results field is by the provider that is trusted", "take your provider's name from a mail that you sent to yourself, and give it as [trust] authserv_id; where it writes none, write proof = \"dkim\"";
        ArMalformed "ar_malformed" "an Authentication-Results field of the trusted provider cannot be read", "if your provider wrote it, report it, and write proof = \"dkim\"; else someone tried to forge it";
        ArFail "ar_fail" "the provider does not say that the sender's DKIM signature holds", "a gateway may have changed the mail before it came to the provider: watch the mailbox that Salesforce writes to";
        ArConflict "ar_conflict" "the provider's results contradict one another, or the mail", "nothing to do: it cannot be told which of them is true";
        ArNotAligned "ar_not_aligned" "no DKIM signature that the provider passed is by a trusted domain that is the sender's own or its parent", "if Salesforce signs your mail with another domain, add it to [trust] signing_domains";
        DateInvalid "date_invalid" "the Date field cannot be read", "nothing to do: no genuine mail has such a date";
        DateTooOld "date_too_old" "the mail is older than max_mail_age", "reset the token again, or raise [trust] max_mail_age";
        DateFuture "date_future" "the mail is dated further in the future than clock_skew allows", "check this machine's clock";
        MimeUnexpected "mime_unexpected" "the mail has attachments, forwarded mails or other parts that a token mail never has", "nothing to do: nothing is taken from an attachment or a forwarded mail";
        MimeAmbiguous "mime_ambiguous" "the mail's MIME structure can be read in two ways", "nothing to do: no genuine mail can";
        DecodeError "decode_error" "a part's transfer encoding or charset is broken", "a gateway may have damaged the mail: watch the mailbox that Salesforce writes to";
        CharsetUnsupported "charset_unsupported" "a part's charset is unknown or unsafe", "nothing to do: mail from Salesforce is in a registered charset";
        UsernameMissing "username_missing" "the mail names no username where the recipe expects it", "reset the token again; if the form of the mail has changed, report it";
        UsernameAmbiguous "username_ambiguous" "the mail names more than one username", "nothing to do: a genuine mail names one";
        TokenMissing "token_missing" "the mail holds no token where the recipe expects it", "reset the token again; if the form of the mail has changed, report it";
        TokenAmbiguous "token_ambiguous" "the mail holds more than one token label, perhaps in hidden text", "nothing to do: a genuine mail holds one";
        TokenInvalid "token_invalid" "what stands behind the token label is not 15 to 64 ASCII letters and digits", "reset the token again";
        PartsDisagree "parts_disagree" "the text and the HTML of the mail do not say the same", "nothing to do: in a genuine mail they do";
        OlderThanCurrent "older_than_current" "a newer mail has already brought a token for this account", "nothing to do: Salesforce has voided the older token";
        OrgMismatch "org_mismatch" "the slot holds a token of the other kind of org (production or sandbox)", "configure the account with its org, and give the other one its own store";
        OutsideWindow "outside_window" "no reset was announced (armed_only)", "announce the reset first: sftoken arm, or sftoken wait";
    }
}

reasons! {
    /// Why a mail is none of our business: not an error.
    NotOurs {
        NotCandidate "not_candidate" "not a security-token mail", "";
        UnknownAccount "unknown_account" "a security-token mail for an account that is not configured", "add the username as an [[account]], or give it with --account";
    }
}

reasons! {
    /// Why it cannot be told yet: keep the mail and try again.
    Pending {
        DkimTemperror "dkim_temperror" "the DNS could not be asked for the DKIM key", "check the resolver, or name one with --dns; the mail is kept and tried again";
    }
}

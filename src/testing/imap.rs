//! A scripted IMAP server.

//! How tokens are read: `sftoken get`, `sftoken run`, the clipboard, and what no child is told.

mod children;
mod clip;
mod examples;
mod files;
mod get;
mod hygiene;
mod run;
mod shelf;
mod shells;

//! Where files are when nobody says: the XDG folders.
//!
//! Knows the defaults of the configuration file and of the state. Never reads either. The folders
//! come from the environment, by the platform's rules.

use std::path::PathBuf;

use etcetera::BaseStrategy;

/// `$XDG_CONFIG_HOME/sftoken/config.toml`, if there is a home at all.
#[must_use]
pub fn default_file() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.config_dir().join("sftoken").join("config.toml"))
}

/// `$XDG_STATE_HOME/sftoken`, if there is a home at all.
#[must_use]
pub fn default_state_dir() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    // Only XDG knows a folder for state; elsewhere it is data.
    let state = folders.state_dir().unwrap_or_else(|| folders.data_dir());
    Some(state.join("sftoken"))
}

//! A private file for the command that takes this process's place.
//!
//! Knows a file in memory that has no name in any folder, and is gone when its last reader is. Never touches
//! a disk. Content comes from `run`.

use std::io;
#[cfg(target_os = "linux")]
use std::io::Write as _;

/// Lower numbers are the command's own: shell scripts open 3 to 9 themselves, and bash keeps files from 10 on.
#[cfg(target_os = "linux")]
const FIRST_NUMBER: i32 = 64;

/// Makes a sealed file with this content, which the next program inherits; gives its path, which any process of
/// the user's can open as long as this one, or the command that it becomes, lives.
#[cfg(target_os = "linux")]
pub(crate) fn make(content: &[u8]) -> io::Result<String> {
    use rustix::fs::{MemfdFlags, Mode, SealFlags, fchmod, fcntl_add_seals, memfd_create};
    use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
    use std::os::fd::{AsRawFd as _, IntoRawFd as _};

    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Linux before 6.3 does not know the second flag, and later ones may demand it (vm.memfd_noexec).
    let made = memfd_create("sftoken", flags | MemfdFlags::NOEXEC_SEAL)
        .or_else(|_| memfd_create("sftoken", flags));
    let mut file = std::fs::File::from(made?);
    file.write_all(content)?;
    fchmod(&file, Mode::RUSR | Mode::WUSR)?;
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    fcntl_add_seals(&file, seals)?;
    let handed = fcntl_dupfd_cloexec(&file, FIRST_NUMBER)?;
    fcntl_setfd(&handed, FdFlags::empty())?;
    let path = format!("/proc/{}/fd/{}", std::process::id(), handed.as_raw_fd());
    // It stays open: the command has it from us.
    let _ = handed.into_raw_fd();
    Ok(path)
}

/// There is no such file on other systems.
#[cfg(not(target_os = "linux"))]
pub(crate) fn make(_content: &[u8]) -> io::Result<String> {
    Err(io::ErrorKind::Unsupported.into())
}

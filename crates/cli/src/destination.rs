//! The place of a report, checked before there is a report.

use crate::report::ReportError;
use std::{
    ffi::OsStr,
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// Why nothing can be written to the place asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DestinationError {
    /// The place itself cannot be written.
    #[error(transparent)]
    Unwritable(#[from] ReportError),
    /// The report would take the place of what the run reads.
    #[error("`{}` is the price file; choose another place for the report", .0.display())]
    Input(PathBuf),
}

/// A place that could be written when it was checked.
#[derive(Debug)]
pub(crate) struct Destination {
    target: PathBuf,
}

impl Destination {
    /// Checks `path` without leaving anything there, not even missing folders; `input` is a file
    /// that must not be overwritten.
    pub(crate) fn check(path: &Path, input: Option<&Path>) -> Result<Self, DestinationError> {
        let target = target(path)?;
        let (same, target_now) = (input.map(fs::canonicalize), fs::canonicalize(&target));
        if let (Some(Ok(input)), Ok(target_now)) = (same, target_now) {
            if input == target_now {
                return Err(DestinationError::Input(path.to_owned()));
            }
        }
        probe(path, &target)?;
        Ok(Destination { target })
    }

    /// The file to write: where a link leads, otherwise the path asked for.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }
}

/// The file that `path` stands for. A link is followed, since writing replaces what is at the
/// path; what is no plain file, such as a device, must not be replaced at all.
fn target(path: &Path) -> Result<PathBuf, ReportError> {
    let unwritable = |source: io::Error| ReportError::Write {
        path: path.to_owned(),
        source,
    };
    let text = path.as_os_str().as_encoded_bytes();
    // A path forgets these endings as soon as it is taken apart, but the system minds them.
    let names_folder = text.ends_with(b"/") || text.ends_with(b"/.");
    let not_a_file = || ReportError::NotAFile {
        path: path.to_owned(),
    };
    if names_folder || path.file_name().is_none_or(OsStr::is_empty) {
        return Err(not_a_file());
    }
    let is_link = match fs::symlink_metadata(path) {
        Ok(found) => found.is_symlink(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(path.to_owned()),
        Err(error) => return Err(unwritable(error)),
    };
    if !fs::metadata(path).map_err(unwritable)?.is_file() {
        return Err(not_a_file());
    }
    if is_link {
        fs::canonicalize(path).map_err(unwritable)
    } else {
        Ok(path.to_owned())
    }
}

/// Makes and removes a temporary file in the closest folder that exists.
fn probe(path: &Path, target: &Path) -> Result<(), ReportError> {
    for folder in target.ancestors().skip(1) {
        // A bare file name has the empty path as its parent, which means here.
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let cannot_make = |source: io::Error| ReportError::Folder {
            folder: folder.to_owned(),
            source,
        };
        match fs::metadata(folder) {
            Ok(found) if found.is_dir() => {
                return tempfile::Builder::new()
                    .prefix(".report-")
                    .tempfile_in(folder)
                    .and_then(tempfile::NamedTempFile::close)
                    .map_err(|error| ReportError::Write {
                        path: path.to_owned(),
                        // The whole error names the temporary file, which means nothing to a user.
                        source: error.kind().into(),
                    });
            }
            Ok(_) => return Err(cannot_make(ErrorKind::NotADirectory.into())),
            // A link that leads nowhere does exist, and no folder can be made in its place.
            Err(error)
                if error.kind() == ErrorKind::NotFound && fs::symlink_metadata(folder).is_err() => {
            }
            Err(error) => return Err(cannot_make(error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(path: &Path) -> Result<(), String> {
        Destination::check(path, None)
            .map(|_| ())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn checking_leaves_nothing_behind() -> io::Result<()> {
        let home = tempfile::tempdir()?;
        let path = home.path().join("not/yet/report.html");
        assert_eq!(words(&path), Ok(()));
        assert_eq!(words(&home.path().join("report.html")), Ok(()));
        assert_eq!(fs::read_dir(home.path())?.count(), 0);
        Ok(())
    }

    #[test]
    fn folders_and_devices_are_refused() -> io::Result<()> {
        let home = tempfile::tempdir()?;
        let file = home.path().join("file");
        fs::write(&file, "kept")?;
        for path in [
            home.path().to_owned(),
            home.path().join("new/"),
            home.path().join("new/."),
            home.path().join(".."),
            file.join("report.html"),
            file.join("deeper/report.html"),
            home.path().join("x".repeat(300)),
            PathBuf::from(""),
        ] {
            assert!(words(&path).is_err(), "{}", path.display());
        }
        if cfg!(unix) {
            assert!(words(Path::new("/dev/null")).is_err());
        }
        assert_eq!(fs::read_to_string(&file)?, "kept");
        assert_eq!(fs::read_dir(home.path())?.count(), 1);
        Ok(())
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_to_their_file() -> io::Result<()> {
        use std::os::unix::fs::symlink;
        let home = tempfile::tempdir()?;
        let file = home.path().join("file");
        fs::write(&file, "kept")?;
        let (link, nowhere) = (home.path().join("link"), home.path().join("nowhere"));
        symlink(&file, &link)?;
        symlink(home.path().join("missing"), &nowhere)?;
        let found = Destination::check(&link, None).map(|place| place.target().to_owned());
        assert_eq!(found.ok(), Some(fs::canonicalize(&file)?));
        assert!(words(&nowhere).is_err());
        assert!(words(&nowhere.join("report.html")).is_err());
        Ok(())
    }

    #[test]
    fn the_input_is_not_overwritten() -> io::Result<()> {
        let home = tempfile::tempdir()?;
        let file = home.path().join("prices.csv");
        fs::write(&file, "timestamp")?;
        let around = home.path().join("./prices.csv");
        let error = Destination::check(&around, Some(&file)).map(|_| ());
        assert!(matches!(error, Err(DestinationError::Input(_))));
        Ok(())
    }
}

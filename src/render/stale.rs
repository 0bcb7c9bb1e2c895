//! How a cluster's folder differs from what the topology gives: what `compile --check` finds.

use super::Files;
use super::disk::{Folder, NoLock, State};
use super::layout::LOCK;
use super::lock::Lock;
use super::yaml::visible;
use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics, Rule};
use crate::source::Span;
use crate::system::System;

mod difference;

/// A cluster's folder, and the line of the topology that findings about it point to.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The output folder as the user knows it, such as `rendered`.
    pub output: &'a str,
    /// The cluster's folder inside it.
    pub folder: &'a str,
    /// Where the cluster is declared.
    pub span: Span,
}

/// Compares a cluster's folder with what the topology gives. The version of landbridge in the
/// lock does not count.
pub fn check(system: &dyn System, place: Place<'_>, files: &Files, found: &mut Diagnostics) {
    let folder = Folder::new(system, place.folder);
    let mut report = Report { place, found };
    match folder.exists() {
        Ok(true) => {}
        Ok(false) => return report.no_folder(),
        Err(error) => return report.unseen("", &error.to_string()),
    }
    let before = report.found.len();
    let lock = report.lock(folder);
    for (path, wanted) in files.iter().filter(|(path, _)| *path != LOCK) {
        match folder.look(path, Some(wanted), lock.files.get(path)) {
            Ok((State::Same, _)) => {}
            Ok((State::Absent, _)) => report.missing(path),
            Ok((State::Own, there)) => report.stale(path, &there, wanted),
            Ok((State::Edited | State::Foreign, there)) => report.edited(path, &there, wanted),
            Ok((State::NoFile, _)) => report.unseen(path, "it is no regular file"),
            Err(error) => report.unseen(path, &error.to_string()),
        }
    }
    for (path, own) in lock.files.iter().filter(|(path, _)| !files.contains_key(*path)) {
        match folder.look(path, None, Some(own)) {
            Ok((State::Absent, _)) => {}
            Ok(_) => report.leftover(path),
            Err(error) => report.unseen(path, &error.to_string()),
        }
    }
    // Where a file is stale its lock is too; that is one finding.
    let wanted = files.get(LOCK).and_then(|text| Lock::parse(text).ok()).unwrap_or_default();
    if report.found.len() == before && lock.files != wanted.files {
        report.stale_lock();
    }
}

/// Reports the folder of a cluster that is no longer declared, as [`orphans`] names them.
///
/// [`orphans`]: super::write::orphans
pub fn orphan(place: Place<'_>, found: &mut Diagnostics) {
    let folder = place.path("");
    let message = format!("the folder `{folder}` is of a cluster that is not declared");
    let finding = Diagnostic::new(&LEFTOVER_OUTPUT, place.span, message);
    found.push(finding.help("run `landbridge compile`, which removes what it made there"));
}

impl Place<'_> {
    fn path(self, file: &str) -> String {
        let path = format!("{}/{}/{file}", self.output, self.folder);
        visible(path.trim_end_matches('/'))
    }
}

struct Report<'a, 'f> {
    place: Place<'a>,
    found: &'f mut Diagnostics,
}

impl Report<'_, '_> {
    fn push(&mut self, rule: &'static Rule, message: String, note: Option<String>, help: &str) {
        let finding = Diagnostic::new(rule, self.place.span, message)
            .label(format!("the cluster `{}`", visible(self.place.folder)));
        self.found.push(note.into_iter().fold(finding, Diagnostic::note).help(help));
    }

    /// Reads the lock; without a readable one, every file that differs counts as edited.
    fn lock(&mut self, folder: Folder<'_>) -> Lock {
        let path = self.place.path(LOCK);
        match folder.lock() {
            Ok(Some(lock)) => {
                if lock.unfinished {
                    let message = format!("`{path}` says that compile was interrupted");
                    self.push(&STALE_OUTPUT, message, None, COMPILE);
                }
                lock
            }
            Ok(None) => {
                self.missing(LOCK);
                Lock::default()
            }
            Err(NoLock::Invalid(error)) => {
                let message = format!("`{path}` cannot be read: {error}");
                self.push(&EDITED_OUTPUT, message, None, FORCE);
                Lock::default()
            }
            Err(NoLock::File(error)) => {
                self.unseen(LOCK, &error.to_string());
                Lock::default()
            }
        }
    }

    fn stale_lock(&mut self) {
        let path = self.place.path(LOCK);
        let message = format!("`{path}` lists other files or contents than compile");
        self.push(&STALE_OUTPUT, message, None, COMPILE);
    }

    fn no_folder(&mut self) {
        let message = format!("the folder `{}` is missing", self.place.path(""));
        self.push(&MISSING_OUTPUT, message, None, COMPILE);
    }

    fn missing(&mut self, file: &str) {
        let message = format!("`{}` is missing", self.place.path(file));
        self.push(&MISSING_OUTPUT, message, None, COMPILE);
    }

    fn stale(&mut self, file: &str, there: &[u8], wanted: &[u8]) {
        let message = format!("`{}` is not what the topology gives", self.place.path(file));
        self.push(&STALE_OUTPUT, message, difference::note(there, wanted), COMPILE);
    }

    fn edited(&mut self, file: &str, there: &[u8], wanted: &[u8]) {
        let path = self.place.path(file);
        let message = format!("`{path}` holds something that landbridge did not write");
        self.push(&EDITED_OUTPUT, message, difference::note(there, wanted), FORCE);
    }

    fn leftover(&mut self, file: &str) {
        let path = self.place.path(file);
        let message = format!("nothing in the topology asks for `{path}` any more");
        self.push(&LEFTOVER_OUTPUT, message, None, COMPILE);
    }

    fn unseen(&mut self, file: &str, why: &str) {
        self.found.not_checked(self.place.span, format!("`{}`", self.place.path(file)), why);
    }
}

const COMPILE: &str = "run `landbridge compile`";
const FORCE: &str =
    "move the change to the topology, then run `landbridge compile --force`, which overwrites it";

declare_rules! {
    /// ## What it does
    /// Reports a rendered file that is as landbridge wrote it, but not as the topology now gives
    /// it.
    ///
    /// ## Why it matters
    /// The clusters get the rendered files. What was changed in the topology alone does not
    /// reach them, although the review showed it.
    ///
    /// ## Example
    /// ```sh
    /// git commit -m "allow the new client" apps/payments.yaml
    /// ```
    ///
    /// Use instead:
    /// ```sh
    /// landbridge compile
    /// git add apps/payments.yaml rendered
    /// git commit -m "allow the new client"
    /// ```
    pub static STALE_OUTPUT = { code: "LB6001", name: "stale-output", summary: "a rendered file that the topology has left behind", severity: Error };

    /// ## What it does
    /// Reports a rendered file whose content landbridge did not write: somebody edited it, or it
    /// stood there before.
    ///
    /// ## Why it matters
    /// The change is in no topology, so nothing checked or proved it, and the next compile wants
    /// to take it back.
    ///
    /// ## Example
    /// ```sh
    /// vi rendered/use1/network-policies/payments.yaml
    /// ```
    ///
    /// Use instead:
    /// ```sh
    /// vi apps/payments.yaml
    /// landbridge compile
    /// ```
    pub static EDITED_OUTPUT = { code: "LB6002", name: "edited-output", summary: "a rendered file that was edited by hand", severity: Error };

    /// ## What it does
    /// Reports a file that the topology gives and that is not there.
    ///
    /// ## Why it matters
    /// Its objects never reach the cluster, and where files are pruned they are deleted there.
    ///
    /// ## Example
    /// ```sh
    /// git rm rendered/use1/services/payments.yaml
    /// ```
    ///
    /// Use instead:
    /// ```sh
    /// landbridge compile
    /// git add rendered
    /// ```
    pub static MISSING_OUTPUT = { code: "LB6003", name: "missing-output", summary: "a rendered file that is missing", severity: Error };

    /// ## What it does
    /// Reports a file that landbridge made and that nothing in the topology asks for any more,
    /// and the folder of a cluster that is no longer declared.
    ///
    /// ## Why it matters
    /// Whatever still applies the folder keeps a permission or a service alive that was taken
    /// back.
    ///
    /// ## Example
    /// ```sh
    /// git rm clusters/use1.yaml
    /// git commit -m "retire use1"
    /// ```
    ///
    /// Use instead:
    /// ```sh
    /// git rm clusters/use1.yaml
    /// landbridge compile
    /// git add rendered
    /// git commit -m "retire use1"
    /// ```
    pub static LEFTOVER_OUTPUT = { code: "LB6004", name: "leftover-output", summary: "a rendered file that nothing asks for any more", severity: Error };
}

#[cfg(test)]
mod tests;

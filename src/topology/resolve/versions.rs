//! Exact versions.

use semver::Version;

use super::{FLOATING_VERSION, UNSUPPORTED_CILIUM};
use crate::chart::Chart;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Spanned;
use crate::spec::cluster::Distribution;
use crate::spec::value::VersionText;

/// The exact version that a text says; reports any other text.
pub(super) fn exact(
    what: &str,
    written: &Spanned<VersionText>,
    found: &mut Diagnostics,
) -> Option<Version> {
    if let Ok(version) = Version::parse(&written.value) {
        return Some(version);
    }
    let message = format!("`{}` is not an exact version of {what}", written.value.0.escape_debug());
    let plain = written.value.strip_prefix(['v', '=']).unwrap_or_default();
    let help = match Version::parse(plain) {
        Ok(version) => format!("write `{version}`"),
        Err(_) => "write major, minor and patch, such as `1.19.6`".to_owned(),
    };
    found.push(Diagnostic::new(&FLOATING_VERSION, written.span, message).help(help));
    None
}

/// The Cilium chart's version, if its minor is known.
pub(super) fn cilium(
    written: &Spanned<VersionText>,
    found: &mut Diagnostics,
) -> Option<Spanned<Version>> {
    let version = exact("Cilium", written, found)?;
    if Chart::of(&version).is_none() {
        let minors: Vec<_> =
            Chart::MINORS.iter().map(|(major, minor)| format!("{major}.{minor}")).collect();
        let message = format!("the chart of Cilium {version} is not known");
        let unsupported = Diagnostic::new(&UNSUPPORTED_CILIUM, written.span, message);
        found.push(unsupported.help(format!("use one of the minors {}", minors.join(", "))));
        return None;
    }
    Some(Spanned::new(version, written.span))
}

/// A Kubernetes version: exact, or a minor where the control plane is managed and offers no
/// patches.
pub(super) fn kubernetes(
    written: &Spanned<VersionText>,
    distribution: Distribution,
    found: &mut Diagnostics,
) -> Option<Spanned<String>> {
    let managed = matches!(distribution, Distribution::Eks | Distribution::Aks | Distribution::Gke);
    if !(managed && Version::parse(&format!("{}.0", written.value.0)).is_ok()) {
        exact("Kubernetes", written, found)?;
    }
    Some(written.clone().map(|version| version.0))
}

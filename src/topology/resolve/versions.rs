//! Exact versions, and what the team knows about versions.

use std::collections::BTreeMap;

use semver::Version;

use super::{CONTRADICTION, FLOATING_VERSION, UNSUPPORTED_CILIUM};
use crate::chart::Chart;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Spanned;
use crate::spec::cluster::Distribution;
use crate::spec::mesh::Versions;
use crate::spec::value::VersionText;
use crate::spec::version_facts::{VersionFactsSpec, VersionRanges};
use crate::spec::{Spec, duplicate};
use crate::yaml::MISSING_KEY;

/// The exact version that a text says; reports any other text.
pub(super) fn exact(
    what: &str,
    written: &Spanned<VersionText>,
    found: &mut Diagnostics,
) -> Option<Version> {
    if let Ok(version) = Version::parse(&written.value) {
        return Some(version);
    }
    found.push(floating(what, written));
    None
}

fn floating(what: &str, written: &Spanned<VersionText>) -> Diagnostic {
    let message = format!("`{}` is not an exact version of {what}", written.value.0.escape_debug());
    Diagnostic::new(&FLOATING_VERSION, written.span, message).help(way_out(what, &written.value.0))
}

/// What to write instead of a version that is not exact.
fn way_out(what: &str, written: &str) -> String {
    // The newest patch of each Cilium minor that has no known fault of its own; see
    // `policies/versions/`.
    let example = match what {
        "Cilium" if written.contains("1.20") => "1.20.2",
        "Cilium" if written.contains("1.18") => "1.18.12",
        "Kubernetes" => "1.34.2",
        "cert-manager" => "1.20.3",
        _ => "1.19.6",
    };
    let bare = written.trim_start_matches(|c: char| !c.is_ascii_digit());
    if let Ok(version) = Version::parse(bare) {
        return match written.trim() {
            plain if plain.starts_with(['v', '=']) => format!("write `{version}`"),
            _ => {
                format!("write `{version}` if that is meant: what a range gives changes by itself")
            }
        };
    }
    if !written.starts_with(|c: char| c.is_ascii_digit()) || written.contains(RANGE) {
        return format!("write the version that it stands for today, such as `{example}`");
    }
    // A package's revision, as in apt's `1.32.0-00` and `1.32.1-1.1`.
    let digits = |c: &char| c.is_ascii_digit() || *c == '.';
    let release: String = written.chars().take_while(digits).collect();
    if Version::parse(&release).is_ok() {
        return format!("write `{release}`: a package's revision is no part of the version");
    }
    match what {
        "Kubernetes" => format!(
            "write the patch too, such as `{example}`; a minor alone is exact where the control \
             plane is managed (`distribution`: `eks`, `aks` or `gke`)"
        ),
        _ => format!("write major, minor and patch, such as `{example}`"),
    }
}

/// What makes a version a range, or a name of whatever is newest.
const RANGE: [char; 10] = ['~', '^', '<', '>', '=', '*', '|', ',', ' ', 'x'];
/// Tags of images and channels that move.
const MOVING: [&str; 13] = [
    "latest", "stable", "edge", "main", "master", "nightly", "head", "dev", "lts", "rolling",
    "canary", "newest", "current",
];

/// Whether a version that follows no scheme may still mean another one tomorrow. `24.04` and
/// `r1234` are exact, `1.32` and `latest` are not.
fn moves(version: &str) -> bool {
    let number = |part: &str| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits && (part == "0" || !part.starts_with('0'))
    };
    let parts: Vec<_> = version.split('.').collect();
    let partial = parts.len() < 3 && parts.iter().all(|part| number(part));
    let wild = parts.iter().any(|part| matches!(*part, "x" | "X" | ""));
    let name = version.to_ascii_lowercase();
    partial || wild || version.contains(&RANGE[..9]) || MOVING.contains(&name.as_str())
}

/// The other components of a cluster, sorted by name, as far as their versions are exact.
pub(super) fn components(
    versions: &Versions,
    found: &mut Diagnostics,
) -> Vec<(String, Spanned<String>)> {
    let mut exact = BTreeMap::new();
    for (name, component) in versions.components.iter() {
        let what = format!("`{}`", name.value.escape_debug());
        let said = [(&component.chart, true), (&component.version, false)];
        for (written, chart) in said {
            let Some(written) = written else { continue };
            // Helm takes a `v` in front of a chart's version (cert-manager has one).
            let plain = written.value.strip_prefix('v').unwrap_or(&written.value);
            if Version::parse(plain).is_err() && (chart || moves(plain)) {
                found.push(floating(&what, written));
                continue;
            }
            let version = Spanned::new(plain.to_owned(), written.span);
            exact.entry(name.value.clone()).or_insert(version);
        }
        if component.chart.is_none() && component.version.is_none() && component.broken.is_empty() {
            let message = format!("the component {what} has no version");
            let missing = Diagnostic::new(&MISSING_KEY, name.span, message);
            found.push(missing.help("write `chart` with the version of its chart, or `version`"));
        }
    }
    exact.into_iter().collect()
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

/// What the team knows about versions; reports entries that say nothing or stand twice.
pub(super) fn facts(spec: &Spec, found: &mut Diagnostics) -> Vec<VersionFactsSpec> {
    let written: Vec<_> =
        spec.version_facts.iter().filter_map(|facts| facts.spec.clone()).collect();
    let mut names: BTreeMap<_, &Spanned<String>> = BTreeMap::new();
    for facts in &written {
        let bad = facts.bad.iter().map(|(name, fact)| ("bad", name, [Some(&fact.versions), None]));
        let support = facts.support.iter();
        let support = support
            .map(|(name, fact)| ("support", name, [Some(&fact.versions), Some(&fact.needs)]));
        let ended = facts.ended.iter();
        let ended = ended.map(|(name, fact)| ("ended", name, [Some(&fact.versions), None]));
        let unpublished = facts.unpublished.iter();
        let unpublished =
            unpublished.map(|(name, fact)| ("unpublished", name, [Some(&fact.versions), None]));
        for (sort, name, ranges) in bad.chain(support).chain(ended).chain(unpublished) {
            if let Some(first) = names.insert((sort, &name.value), name) {
                found.push(duplicate("version fact", name, first));
            }
            for ranges in ranges.into_iter().flatten().filter(|ranges| unnamed(ranges)) {
                let message = format!("the version fact `{}` names no version", name.value);
                let finding = Diagnostic::new(&CONTRADICTION, ranges.span, message);
                found.push(finding.help("write a range of versions, such as `{cilium: 1.16.0}`"));
            }
        }
    }
    written
}

fn unnamed(ranges: &VersionRanges) -> bool {
    ranges.is_empty() && ranges.broken.is_empty()
}

#[cfg(test)]
mod tests {
    use super::super::super::sample::{TWO_CLUSTERS, resolved};

    fn findings(versions: &str) -> Vec<String> {
        let old = "{kubernetes: 1.34.2, cilium: 1.19.6}";
        assert!(TWO_CLUSTERS.contains(old));
        let (_, found) = resolved(&TWO_CLUSTERS.replacen(old, versions, 1));
        found.iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    }

    #[test]
    fn a_version_that_moves_is_not_exact() {
        for version in
            ["latest", "\"1.19\"", "v1.19.6", "~1.19.0", "^1.19.6", "\"~> 1.19\"", "v1.x"]
        {
            let text = version.trim_matches('"');
            for (key, what) in [("cilium", "Cilium"), ("certManager", "cert-manager")] {
                let versions = match key {
                    "cilium" => format!("{{cilium: {version}}}"),
                    _ => format!("{{cilium: 1.19.6, {key}: {version}}}"),
                };
                let finding = format!("LB3001 `{text}` is not an exact version of {what}");
                assert!(findings(&versions).contains(&finding), "{versions}");
            }
        }
    }

    #[test]
    fn components_are_exact_by_their_own_schemes() {
        let component =
            |said: &str| findings(&format!("{{cilium: 1.19.6, components: {{dns: {said}}}}}"));
        for said in [
            "{chart: 1.19.0}",
            "{chart: v1.20.3}",
            "{version: \"24.04\"}",
            "{version: r1234}",
            "{version: 2026-10-01}",
            "{version: v1.8.3}",
            "{chart: 1.19.0-rc.1}",
            "{version: 1.2.3.4}",
        ] {
            assert_eq!(component(said), [""; 0], "{said}");
        }
        for said in [
            "{chart: ^1.19.0}",
            "{chart: \"1.19\"}",
            "{version: latest}",
            "{version: \"1.32\"}",
            "{version: v1.x}",
            "{version: \"~1.2.3\"}",
            "{chart: r1}",
            "{version: \">=1.2.3\"}",
            "{version: stable}",
            "{chart: 1.19.x}",
        ] {
            let found = component(said);
            assert_eq!(found.len(), 1, "{said}: {found:?}");
            assert!(found[0].ends_with("is not an exact version of `dns`"), "{said}: {found:?}");
        }
        assert_eq!(component("{}"), ["LB0006 the component `dns` has no version"]);
    }

    #[test]
    fn the_way_out_fits_what_was_written() {
        for (what, written, help) in [
            ("Cilium", "v1.19.6", "write `1.19.6`"),
            (
                "Cilium",
                "~1.20.1",
                "write `1.20.1` if that is meant: what a range gives changes by itself",
            ),
            ("Cilium", "1.20", "write major, minor and patch, such as `1.20.2`"),
            (
                "Kubernetes",
                "1.32.0-00",
                "write `1.32.0`: a package's revision is no part of the version",
            ),
            ("Cilium", "latest", "write the version that it stands for today, such as `1.19.6`"),
            (
                "cert-manager",
                ">=1.20",
                "write the version that it stands for today, such as `1.20.3`",
            ),
            ("Cilium", "1.20.x", "write the version that it stands for today, such as `1.20.2`"),
        ] {
            assert_eq!(super::way_out(what, written), help, "{written}");
        }
        assert!(
            super::way_out("Kubernetes", "1.34").contains("where the control plane is managed")
        );
    }
}

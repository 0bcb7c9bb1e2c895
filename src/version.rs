//! What is known about versions: what is embedded, what the team adds and overrules, and which
//! clusters it is about.

mod condition;
mod finding;
mod pin;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::diagnostic::{Diagnostics, Severity};
use crate::source::{SourceMap, Span, Spanned};
use crate::spec::Spec;
use crate::spec::version_facts::{
    BadVersion, EndOfLife, FactSeverity, SupportWindow, Unpublished, VersionFactsSpec,
    VersionRanges,
};
use crate::topology::Topology;
use crate::yaml;
use crate::yaml::fields::Map;
pub use condition::{clusters_with, sets};
pub use finding::finding;
pub use pin::{Case, Pin, Product, cases, fit, named, names, unmet};

/// The embedded files: name and text.
static FILES: [(&str, &str); 2] = [
    ("cilium.yaml", include_str!("../policies/versions/cilium.yaml")),
    ("cert-manager.yaml", include_str!("../policies/versions/cert-manager.yaml")),
];

/// What the embedded files say. Places in it belong to no source of a run.
static BUILT_IN: LazyLock<Vec<VersionFactsSpec>> = LazyLock::new(|| read(&mut Diagnostics::new()));

fn read(found: &mut Diagnostics) -> Vec<VersionFactsSpec> {
    let mut sources = SourceMap::new();
    let mut spec = Spec::default();
    for (name, text) in FILES {
        let id = sources.add(name, text);
        for document in yaml::parse(&sources, id, found) {
            spec.add(&document, found);
        }
    }
    spec.version_facts.into_iter().filter_map(|facts| facts.spec).collect()
}

/// A sort of version facts.
pub trait Known: Sized {
    /// How bad it is unless an entry says otherwise.
    const SEVERITY: Severity;

    /// The entries of this sort.
    fn among(facts: &VersionFactsSpec) -> &Map<Self>;

    /// What an entry says of how bad it is.
    fn said(&self) -> Option<FactSeverity>;

    /// The versions that an entry is about.
    fn versions(&self) -> &VersionRanges;

    /// Where an entry is from.
    fn source(&self) -> Option<&str>;

    /// How bad it is; nothing for an entry that is not wanted.
    fn severity(&self) -> Option<Severity> {
        match self.said() {
            None => Some(Self::SEVERITY),
            Some(FactSeverity::Error) => Some(Severity::Error),
            Some(FactSeverity::Warning) => Some(Severity::Warning),
            Some(FactSeverity::None) => None,
        }
    }
}

/// Makes a type of entries a sort of version facts.
macro_rules! known {
    ($($name:ident, $field:ident, $severity:ident;)+) => { $(
        impl Known for $name {
            const SEVERITY: Severity = Severity::$severity;

            fn among(facts: &VersionFactsSpec) -> &Map<Self> {
                &facts.$field
            }

            fn said(&self) -> Option<FactSeverity> {
                self.severity.as_ref().map(|severity| severity.value)
            }

            fn versions(&self) -> &VersionRanges {
                &self.versions
            }

            fn source(&self) -> Option<&str> {
                self.source.as_ref().map(|source| source.value.0.as_str())
            }
        }
    )+ };
}

known! {
    BadVersion, bad, Error;
    SupportWindow, support, Warning;
    EndOfLife, ended, Warning;
    Unpublished, unpublished, Error;
}

/// A version fact with its name.
#[derive(Debug)]
pub struct Fact<'a, T> {
    /// Its name, unique among those of its sort.
    pub name: &'a str,
    /// Where the team wrote it; nothing for a built-in one.
    pub place: Option<Span>,
    /// How bad it is.
    pub severity: Severity,
    /// What it says.
    pub fact: &'a T,
}

/// The built-in facts of a sort, in the order of the files.
pub fn built_in<T: Known + 'static>() -> Vec<Fact<'static, T>> {
    let facts = BUILT_IN.iter().flat_map(|facts| T::among(facts).iter());
    let fact = |(name, fact): (&'static Spanned<String>, &'static T)| {
        let severity = fact.severity()?;
        Some(Fact { name: &name.value, place: None, severity, fact })
    };
    facts.filter_map(fact).collect()
}

/// The facts of a sort that count for a topology, by name: its own overrule built-in ones.
pub fn known<T: Known + 'static>(topology: &Topology) -> Vec<Fact<'_, T>> {
    let mut facts: BTreeMap<&str, Fact<'_, T>> =
        built_in().into_iter().map(|fact| (fact.name, fact)).collect();
    for (name, fact) in topology.version_facts.iter().flat_map(|facts| T::among(facts).iter()) {
        match fact.severity() {
            Some(severity) => {
                let own = Fact { name: &name.value, place: Some(name.span), severity, fact };
                facts.insert(&name.value, own);
            }
            None => {
                facts.remove(name.value.as_str());
            }
        }
    }
    facts.into_values().collect()
}

#[cfg(test)]
mod tests;

//! The values of Flux's variables.

use std::collections::BTreeMap;

use super::{Manifest, NOT_A_MANIFEST, read};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{SourceId, SourceMap, Span, Spanned};
use crate::yaml::fields;

/// The variables of a ConfigMap, or the fact that they could not be read.
#[derive(Clone, Debug)]
pub struct Variables {
    source: SourceId,
    values: Option<BTreeMap<String, Spanned<String>>>,
}

impl Variables {
    /// Reads the one ConfigMap of a file.
    ///
    /// Where it cannot be read (it is encrypted, or there is none), that is reported, and so is
    /// every object that names a variable.
    pub fn read(sources: &SourceMap, id: SourceId, found: &mut Diagnostics) -> Self {
        let before = (found.len(), found.unchecked().len());
        let objects = read(sources, id, None, found);
        let mut maps = objects.iter().filter(|object| object.is("", "ConfigMap"));
        let Some(map) = maps.next() else {
            if before == (found.len(), found.unchecked().len()) {
                let message = "the file has no ConfigMap that could be read".to_owned();
                let help = "name a file with the ConfigMap that `substituteFrom` names in Flux";
                let finding = Diagnostic::new(&NOT_A_MANIFEST, Span::start_of(id), message);
                found.push(finding.help(help));
            }
            return Self { source: id, values: None };
        };
        if let Some(second) = maps.next() {
            let message = "a second ConfigMap stands in a file that is named for its variables";
            let finding = Diagnostic::new(&NOT_A_MANIFEST, second.name.span, message);
            let finding = finding.related(map.name.span, "the first one is used");
            found.push(finding.help("put it into a file of its own"));
        }
        Self::from_config_map(map, found)
    }

    /// Takes the variables of a ConfigMap. Flux takes the line breaks out of their values.
    pub fn from_config_map(map: &Manifest, found: &mut Diagnostics) -> Self {
        let mut values = BTreeMap::new();
        for entry in map.at(&["data"]).and_then(|data| data.entries()).unwrap_or_default() {
            if !is_name(&entry.key) {
                let message = format!("Flux refuses the variable name `{}`", entry.key);
                let help = "begin it with a letter or `_`, and use letters, digits and `_`";
                fields::invalid(entry.key_span, message, help, found);
            } else if let Some(value) = fields::text(&entry.value, "text", found) {
                let value = Spanned::new(value.replace('\n', ""), entry.value.span);
                values.insert(entry.key.to_string(), value);
            }
        }
        Self { source: map.span.source, values: Some(values) }
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        Some(&self.values.as_ref()?.get(name)?.value)
    }

    /// The variables with their values and the places of these, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Spanned<String>)> {
        self.values.iter().flatten().map(|(name, value)| (name.as_str(), value))
    }

    /// The file that they stand in.
    pub fn source(&self) -> SourceId {
        self.source
    }

    /// Why nothing can be replaced, whatever variable is named; `name` is the file's.
    pub(super) fn unusable(&self, name: &str) -> Option<String> {
        match &self.values {
            None => Some(format!("the variables of `{name}` could not be read")),
            // `SubstituteVariables` of github.com/fluxcd/pkg/kustomize, unless the Kustomization
            // says `substituteStrategy: Always`.
            Some(values) if values.is_empty() => {
                Some(format!("`{name}` has no variables, with which Flux replaces nothing"))
            }
            Some(_) => None,
        }
    }
}

/// Whether Flux takes a name: `^[_[:alpha:]][_[:alpha:][:digit:]]*$`, which in Go is ASCII.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

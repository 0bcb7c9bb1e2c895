//! Whether a kustomization means the files that it lists, as they are.

use crate::source::Span;
use crate::yaml::Node;

/// The names of the file, in the order in which kustomize looks for them
/// (`RecognizedKustomizationFileNames` in `api/konfig/general.go`).
pub(super) const FILES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The keys that change nothing about an object that is listed. `generatorOptions` are about
/// generators, `openapi` about patches, and those have keys of their own.
const HARMLESS: [&str; 7] = [
    "apiVersion",
    "kind",
    "metadata",
    "sortOptions",
    "buildMetadata",
    "generatorOptions",
    "openapi",
];

/// What a kustomization does.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plain {
    /// It lists these files and folders.
    Lists(Vec<(Span, String)>),
    /// It does something else, by this key.
    Changes(Span, String),
}

/// Reads a kustomization; `start` is where it begins.
pub(super) fn read(documents: &[Node], start: Span) -> Plain {
    let [document] = documents else {
        return Plain::Changes(start, "number of documents".to_owned());
    };
    let mut lists = Vec::new();
    for entry in document.entries().unwrap_or_default() {
        let changes = |span| Plain::Changes(span, entry.key.to_string());
        match &*entry.key {
            "kind" if entry.value.text() != Some("Kustomization") => {
                return changes(entry.key_span);
            }
            "resources" => {
                for item in entry.value.items().unwrap_or_default() {
                    let Some(text) = item.text() else { return changes(item.span) };
                    lists.push((item.span, text.to_owned()));
                }
            }
            key if HARMLESS.contains(&key) || entry.value.is_null() => {}
            _ => return changes(entry.key_span),
        }
    }
    Plain::Lists(lists)
}

/// The path of what a kustomization in `folder` lists; nothing if it is not below the root.
pub(super) fn join(folder: &str, listed: &str) -> Option<String> {
    if listed.contains("://") || listed.starts_with('/') || listed.contains('\\') {
        return None;
    }
    let mut path: Vec<&str> = folder.split('/').filter(|part| *part != ".").collect();
    for part in listed.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                path.pop()?;
            }
            part => path.push(part),
        }
    }
    Some(if path.is_empty() { ".".to_owned() } else { path.join("/") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Diagnostics;
    use crate::source::SourceMap;

    fn plain(text: &str) -> String {
        let mut sources = SourceMap::new();
        let id = sources.add("kustomization.yaml", text);
        let documents = crate::yaml::parse(&sources, id, &mut Diagnostics::new());
        match read(&documents, Span::start_of(id)) {
            Plain::Lists(list) => {
                list.into_iter().map(|(_, path)| path).collect::<Vec<_>>().join(" ")
            }
            Plain::Changes(_, key) => format!("!{key}"),
        }
    }

    #[test]
    fn only_a_list_of_resources_means_its_files() {
        assert_eq!(plain("resources: [a.yaml, ../b]\nkind: Kustomization\n"), "a.yaml ../b");
        assert_eq!(plain("resources: []\nsortOptions: {order: fifo}\npatches:\n"), "");
        assert_eq!(plain("resources: [a.yaml]\npatches: [{path: p.yaml}]\n"), "!patches");
        assert_eq!(plain("namespace: shop\nresources: [a.yaml]\n"), "!namespace");
        assert_eq!(plain("kind: Component\nresources: [a.yaml]\n"), "!kind");
        assert_eq!(plain("a: 1\n---\nb: 1\n"), "!number of documents");
    }

    #[test]
    fn paths_stay_below_the_root() {
        assert_eq!(join("overlays/eu", "../../base/a.yaml").as_deref(), Some("base/a.yaml"));
        assert_eq!(join(".", "./a.yaml").as_deref(), Some("a.yaml"));
        assert_eq!(join("a", "..").as_deref(), Some("."));
        assert_eq!(join(".", "../a.yaml"), None);
        assert_eq!(join(".", "https://example.com/a.yaml"), None);
        assert_eq!(join(".", "/etc/passwd"), None);
    }
}

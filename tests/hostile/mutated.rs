//! Good projects with something wrong in them, anywhere: whatever comes of it, nothing panics.

use std::collections::BTreeMap;

use landbridge::compile::{self, Index};
use landbridge::diagnostic::Diagnostics;
use landbridge::source::{SourceMap, Span};
use landbridge::spec::load;
use landbridge::system::memory::MemorySystem;
use landbridge::topology::resolve::resolve;
use landbridge::{check, render};
use proptest::prelude::*;

use super::attack::PROJECT;
use crate::random::{dice::Dice, project::Project};

/// A change of a text.
#[derive(Clone, Debug)]
enum Change {
    /// A bit of a byte is flipped.
    Flip(prop::sample::Index, u8),
    /// A byte becomes another one, which means something to YAML.
    Replace(prop::sample::Index, u8),
    /// A line goes.
    Delete(prop::sample::Index),
    /// A line stands twice.
    Double(prop::sample::Index),
    /// Two lines change places.
    Swap(prop::sample::Index, prop::sample::Index),
    /// A line stands deeper or less deep.
    Indent(prop::sample::Index, usize),
    /// A word becomes another one of the same text.
    Word(prop::sample::Index, prop::sample::Index),
    /// The text ends early.
    Cut(prop::sample::Index),
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<prop::sample::Index>;
    let meaningful = prop::sample::select(b"\n\t :,[]{}#&*!|>'\"%@`-?0a\\/.\x00".to_vec());
    prop_oneof![
        (place(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        (place(), meaningful).prop_map(|(at, byte)| Change::Replace(at, byte)),
        place().prop_map(Change::Delete),
        place().prop_map(Change::Double),
        (place(), place()).prop_map(|(a, b)| Change::Swap(a, b)),
        (place(), 0..8_usize).prop_map(|(at, width)| Change::Indent(at, width)),
        (place(), place()).prop_map(|(a, b)| Change::Word(a, b)),
        place().prop_map(Change::Cut),
    ]
}

fn apply(text: Vec<u8>, change: &Change) -> Vec<u8> {
    if text.is_empty() {
        return text;
    }
    let mut bytes = text.clone();
    let mut lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    match change {
        Change::Flip(at, bit) => bytes[at.index(text.len())] ^= 1 << bit,
        Change::Replace(at, byte) => bytes[at.index(text.len())] = *byte,
        Change::Cut(at) => bytes.truncate(at.index(text.len())),
        Change::Delete(at) => {
            lines.remove(at.index(lines.len()));
            return lines.concat();
        }
        Change::Double(at) => {
            let at = at.index(lines.len());
            lines.insert(at, lines[at]);
            return lines.concat();
        }
        Change::Swap(a, b) => {
            let count = lines.len();
            lines.swap(a.index(count), b.index(count));
            return lines.concat();
        }
        Change::Indent(at, width) => {
            let at = at.index(lines.len());
            let indented = [" ".repeat(*width).as_bytes(), lines[at].trim_ascii_start()].concat();
            lines[at] = &indented;
            return lines.concat();
        }
        Change::Word(a, b) => {
            let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"-./".contains(byte);
            let parts: Vec<&[u8]> = text.chunk_by(|a, b| is_word(a) == is_word(b)).collect();
            let words: Vec<usize> = (0..parts.len()).filter(|at| is_word(&parts[*at][0])).collect();
            if words.is_empty() {
                return text;
            }
            let mut changed = parts.clone();
            changed[words[a.index(words.len())]] = parts[words[b.index(words.len())]];
            return changed.concat();
        }
    }
    bytes
}

/// Runs every phase on a project, as far as it gets.
fn run(files: BTreeMap<String, Vec<u8>>) {
    let system =
        files.into_iter().fold(MemorySystem::new(), |system, (path, text)| system.with(path, text));
    let (mut sources, mut found) = (SourceMap::new(), Diagnostics::new());
    let spec = load::project(&system, &mut sources, &mut found);
    let topology = resolve(&spec, &mut found);
    if let Some(topology) = &topology {
        check::run(topology, &mut found);
        if !found.has_errors() {
            let index = Index::of(topology);
            for (id, _) in topology.clusters() {
                let desired = compile::cluster(topology, &index, id);
                desired.resources.iter().for_each(|resource| placed(&sources, resource.origin));
                if let Err(more) = render::files(&desired) {
                    found.extend(more);
                }
            }
        }
    }
    assert!(topology.is_some() || found.has_errors(), "no topology, and no finding says so");
    for finding in found.iter() {
        placed(&sources, finding.primary.span);
        finding.related.iter().for_each(|label| placed(&sources, label.span));
    }
}

fn placed(sources: &SourceMap, span: Span) {
    let text = sources.get(span.source).text();
    assert!(text.get(span.range()).is_some(), "{span:?} is no place of its text");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_project_never_panics(
        seed in 0..1_000_u64,
        changes in prop::collection::vec(change(), 1..4),
        file in any::<prop::sample::Index>(),
    ) {
        let files = if seed % 4 == 0 {
            BTreeMap::from([("landbridge.yaml".to_owned(), PROJECT.to_owned())])
        } else {
            Project::new(seed, 3).shuffled(&mut Dice::new(seed))
        };
        let mut files: BTreeMap<String, Vec<u8>> =
            files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
        let at = file.index(files.len());
        if let Some(text) = files.values_mut().nth(at) {
            *text = changes.iter().fold(std::mem::take(text), apply);
        }
        run(files);
    }
}

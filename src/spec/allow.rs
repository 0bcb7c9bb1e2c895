//! What findings are accepted: comments where they stand, and `spec.allow` of the topology.

mod comment;

use std::collections::BTreeMap;
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};
use rayon::prelude::*;

use super::Spec;
use super::value::{RelativePath, Word};
use crate::diagnostic::acceptance::{
    self, Acceptance, Acceptances, FORBIDDEN_ACCEPTANCE, INVALID_ACCEPTANCE, MAX_ACCEPTANCES, Scope,
};
use crate::diagnostic::{Diagnostic, Diagnostics, Rule};
use crate::object;
use crate::source::{SourceId, SourceMap, Span, Spanned};
use crate::system::Date;
use crate::yaml::comments::{self, Remark};
use crate::yaml::fields::{nearest, suggests};
use comment::Said;

object! {
    /// Findings of a rule that are accepted, all of them or those in some files. A single one is
    /// better accepted where it stands: `# landbridge: allow(LB2007) reason until 2027-01-31`.
    pub struct Allow {
        /// The rule's code or name.
        "rule" => rule: Spanned<Word>,
        /// The files in which its findings are accepted, as globs below the project; everywhere
        /// unless said here.
        "files" => files: Vec<Spanned<RelativePath>>,
        /// Why.
        "reason" => reason: Spanned<Word>,
        /// Who answers for it.
        "owner" => owner: Option<Spanned<Word>>,
        /// The last day on which it holds; it does not end unless said here.
        "expires" => expires: Option<Spanned<Date>>,
    }
}

/// Most globs that the entries of `spec.allow` may have together: each is tried on each file.
const MAX_GLOBS: usize = 1_000;

/// Reads the acceptances of a project, and reports those that cannot be read. `known` are the
/// rules that a run may have findings of.
pub fn read(
    spec: &Spec,
    sources: &SourceMap,
    known: &[&Rule],
    today: Date,
    found: &mut Diagnostics,
) -> Acceptances {
    let names = Names::of(known);
    let ids: Vec<SourceId> = sources.iter().map(|(id, _)| id).collect();
    let remarks: Vec<_> = ids.par_iter().map(|id| comments::remarks(sources, *id)).collect();
    let mut list = Vec::new();
    central(spec, sources, &names, &mut list, found);
    for remark in remarks.into_iter().flatten() {
        in_place(sources, remark, &names, &mut list, found);
        if list.len() > MAX_ACCEPTANCES {
            let message = format!("the project has more than {MAX_ACCEPTANCES} acceptances");
            let finding = Diagnostic::new(&INVALID_ACCEPTANCE, remark.span, message);
            found.push(finding.help("accept what is common under `spec.allow`"));
            list.truncate(MAX_ACCEPTANCES);
            break;
        }
    }
    Acceptances::new(list, today)
}

/// The rules that can be named.
struct Names<'a> {
    /// By code and by name, in lower case.
    known: BTreeMap<String, &'a Rule>,
}

impl<'a> Names<'a> {
    fn of(known: &[&'a Rule]) -> Self {
        let named = |rule: &&'a Rule| {
            [(rule.code.to_ascii_lowercase(), *rule), (rule.name.to_ascii_lowercase(), *rule)]
        };
        Self { known: known.iter().flat_map(named).collect() }
    }

    /// The code of the rule that is meant; reports what none is, and what cannot be accepted.
    fn code(&self, name: &str, span: Span, found: &mut Diagnostics) -> Option<String> {
        let Some(rule) = self.known.get(&name.to_ascii_lowercase()) else {
            let message = format!("there is no rule `{}`", name.escape_debug());
            let finding = Diagnostic::new(&INVALID_ACCEPTANCE, span, message);
            let names = self.known.values().map(|rule| &*rule.name);
            // Codes are near to each other by nature: only names are worth a guess.
            found.push(match suggests(found).then(|| nearest(name, names)).flatten() {
                Some(near) => finding.help(format!("write `{near}` if that is meant")),
                None => finding.help("`landbridge explain` lists all rules"),
            });
            return None;
        };
        if acceptance::RULES.iter().any(|own| own.code == rule.code) {
            let message = format!("findings of `{}` cannot be accepted", rule.code);
            let finding = Diagnostic::new(&FORBIDDEN_ACCEPTANCE, span, message);
            found.push(finding.help("mend the acceptance that it is about"));
            return None;
        }
        Some(rule.code.clone().into_owned())
    }
}

fn in_place(
    sources: &SourceMap,
    remark: Remark,
    names: &Names<'_>,
    list: &mut Vec<Acceptance>,
    found: &mut Diagnostics,
) {
    let source = remark.span.source;
    let from = remark.span.start as usize;
    let at =
        |range: std::ops::Range<usize>| Span::new(source, from + range.start..from + range.end);
    let text = &sources.get(source).text()[remark.span.range()];
    let Said { rules, reason, until } = match comment::read(text) {
        Ok(said) => said,
        Err(problem) => {
            let finding = Diagnostic::new(&INVALID_ACCEPTANCE, at(problem.range), problem.message);
            found.push(finding.help(problem.help));
            return;
        }
    };
    let reason: Arc<str> = acceptance::shortened(reason).into();
    // One more than there may be is seen by the caller.
    for rule in rules.into_iter().take(MAX_ACCEPTANCES + 1 - list.len()) {
        let place = at(rule.clone());
        if let Some(code) = names.code(&text[rule], place, found) {
            let scope = remark.about.map_or(Scope::Nothing, Scope::Part);
            let reason = Arc::clone(&reason);
            list.push(Acceptance { code, place, scope, reason, owner: None, until });
        }
    }
}

fn central(
    spec: &Spec,
    sources: &SourceMap,
    names: &Names<'_>,
    list: &mut Vec<Acceptance>,
    found: &mut Diagnostics,
) {
    let topology = spec.topology.as_ref().and_then(|topology| topology.spec.as_ref());
    let entries = topology.map(|spec| &*spec.allow).unwrap_or_default();
    let mut globs = 0;
    for entry in entries {
        globs += entry.files.len();
        if globs > MAX_GLOBS {
            let message = format!("`spec.allow` has more than {MAX_GLOBS} globs");
            let finding = Diagnostic::new(&INVALID_ACCEPTANCE, entry.span, message);
            found.push(finding.help("accept what stands in single files by comments there"));
            return;
        }
        let files = matchers(entry, found);
        let code = names.code(&entry.rule.value, entry.rule.span, found);
        let (Some(files), Some(code)) = (files, code) else { continue };
        let matched = sources.iter().filter(|(_, source)| {
            let matches = |glob: &GlobMatcher| glob.is_match(source.name());
            files.iter().any(matches)
        });
        let scope = if entry.files.is_empty() {
            Scope::Everywhere
        } else {
            Scope::Files(matched.map(|(id, _)| id).collect())
        };
        list.push(Acceptance {
            code,
            place: entry.rule.span,
            scope,
            reason: acceptance::shortened(&entry.reason.value).into(),
            owner: entry.owner.as_ref().map(|owner| acceptance::shortened(&owner.value).into()),
            until: entry.expires.as_ref().map(|day| day.value),
        });
    }
}

/// What its globs match; nothing where one cannot be read, or where its last day cannot.
fn matchers(entry: &Allow, found: &mut Diagnostics) -> Option<Vec<GlobMatcher>> {
    if !entry.broken.is_empty() {
        return None;
    }
    let mut files = Some(Vec::new());
    for written in &entry.files {
        let path = written.value.0.as_str();
        let path = path.strip_prefix("./").unwrap_or(path);
        match GlobBuilder::new(path).literal_separator(true).build() {
            Ok(glob) => files.iter_mut().for_each(|files| files.push(glob.compile_matcher())),
            Err(error) => {
                let message = format!("the glob cannot be read: {}", error.kind());
                found.push(Diagnostic::new(&INVALID_ACCEPTANCE, written.span, message));
                files = None;
            }
        }
    }
    files
}

//! What is wrong with acceptances, once every finding is known.

use super::{
    Acceptance, Accepting, EXPIRED_ACCEPTANCE, FORBIDDEN_ACCEPTANCE, Scope, UNNEEDED_ACCEPTANCE,
};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

impl Accepting {
    /// The findings about acceptances. `performed` says whether a rule, by its code, was run over
    /// everything; of others it is not known whether an acceptance is needed.
    pub(in crate::diagnostic) fn findings(
        &self,
        performed: &dyn Fn(&str) -> bool,
    ) -> Vec<Diagnostic> {
        let mut findings = Vec::new();
        for (at, one) in self.acceptances.list.iter().enumerate() {
            if self.acceptances.ended(one) {
                findings.push(expired(one));
            } else if let Some(error) = self.refused.get(&at) {
                findings.push(forbidden(one, *error));
            } else if !self.used.contains(&at) && performed(&one.code) {
                findings.push(unneeded(one));
            }
        }
        findings
    }
}

fn expired(one: &Acceptance) -> Diagnostic {
    let until = one.until.map(|day| day.to_string()).unwrap_or_default();
    let message = format!("the acceptance of `{}` ended on {until}", one.code);
    Diagnostic::new(&EXPIRED_ACCEPTANCE, one.place, message)
        .note(format!("it was accepted because: {}", one.reason))
        .help("remove it, or accept again what it is about, until a later day")
}

fn forbidden(one: &Acceptance, error: Span) -> Diagnostic {
    let message = format!("this error of `{}` cannot be accepted", one.code);
    Diagnostic::new(&FORBIDDEN_ACCEPTANCE, one.place, message)
        .related(error, "the error")
        .note("what it is about is left out of the topology, and nothing is compiled without it")
        .help("mend the error, and remove the acceptance")
}

fn unneeded(one: &Acceptance) -> Diagnostic {
    let message = format!("no finding needs the acceptance of `{}`", one.code);
    let finding = Diagnostic::new(&UNNEEDED_ACCEPTANCE, one.place, message);
    let finding = match &one.scope {
        Scope::Part(part) if part.start >= one.place.end => {
            finding.note("it is about what begins on the next line, and all that is in it")
        }
        Scope::Part(_) => finding.note("it is about findings on its line"),
        Scope::Files(files) if files.is_empty() => finding.note("no file has such a name"),
        Scope::Nothing => finding.note("nothing follows it in the same collection"),
        Scope::Files(_) | Scope::Everywhere => finding,
    };
    finding.help("remove it")
}

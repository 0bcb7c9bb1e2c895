//! CEL, the language of Kubernetes' admission policies, evaluated within bounds.
//!
//! The crate `cel` parses; what it parsed is lowered to a tree of our own, in which every name is
//! known, and evaluated here. Its own evaluator has no bound on steps or memory, goes through maps
//! in random order and does not say where an error is. `tests/expression.rs` compares the two.

mod evaluate;
mod function;
mod lower;
mod operate;
mod template;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

pub use evaluate::{Environment, Meter};
pub use function::{FUNCTIONS, Function};
pub use template::Template;
pub use value::{Key, List, Map, Text, Value};

/// Longest expression in bytes.
pub const MAX_LENGTH: usize = 4 * 1024;
/// Deepest nesting of an expression.
pub const MAX_DEPTH: usize = 64;
/// The parser goes as deep as an expression has operators in a row; this is more than
/// [`MAX_LENGTH`] can ask for, in a build without optimisation too.
const STACK: usize = 64 * 1024 * 1024;
/// The name of the threads in which the parser runs: a panic there is a wrong expression, not the
/// end of the program.
pub const PARSER: &str = "expression parser";

/// Something wrong with an expression, found before it is evaluated or while it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The bytes of the expression that it is about; empty where that is not known.
    pub at: Range<usize>,
    /// What is wrong: a lower-case phrase.
    pub message: String,
    /// Whether it is only that the steps are used up.
    pub exhausted: bool,
}

impl Flaw {
    fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), exhausted: false }
    }
}

/// An expression whose names and functions are known.
#[derive(Clone, Debug)]
pub struct Program {
    root: lower::Node,
    reads: Reads,
}

/// What an expression may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Variables, in the order of an [`Environment`]'s values; `variables.x` is one of them.
    pub variables: Vec<String>,
    /// Texts that are known before anything is evaluated, by the name that stands for them, such
    /// as `params.pattern`: a regular expression among them is compiled once.
    pub texts: BTreeMap<String, String>,
}

/// What of its variables an expression reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Variables of which everything may be read, as indices into the names.
    pub whole: BTreeSet<usize>,
    /// Fields of variables of which only single fields are read.
    pub fields: BTreeSet<(usize, String)>,
}

impl Program {
    /// Parses an expression that may use `names`.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn compile(text: &str, names: &Names) -> Result<Self, Flaw> {
        let mut programs = compile_all(&[(text, names)]);
        programs.pop().unwrap_or_else(|| Err(Flaw::new(0..0, "it was not parsed")))
    }

    /// What it reads.
    pub fn reads(&self) -> &Reads {
        &self.reads
    }
}

/// Parses expressions, each with the names that it may use.
pub fn compile_all(texts: &[(&str, &Names)]) -> Vec<Result<Program, Flaw>> {
    let mut done = Vec::with_capacity(texts.len());
    while done.len() < texts.len() {
        let rest = &texts[done.len()..];
        // The parser recurses, and it may panic: the other expressions are parsed all the same.
        let (some, whole) = std::thread::scope(|scope| {
            let (sender, receiver) = std::sync::mpsc::channel();
            let parse = move || {
                for (text, names) in rest {
                    let sent = sender.send(lower::program(text, names));
                    sent.expect("internal error: nobody takes what is parsed");
                }
            };
            let thread = std::thread::Builder::new().name(PARSER.to_owned()).stack_size(STACK);
            match thread.spawn_scoped(scope, parse) {
                Ok(thread) => {
                    let some: Vec<_> = receiver.iter().collect();
                    (some, thread.join().is_ok())
                }
                Err(_) => (Vec::new(), false),
            }
        });
        done.extend(some);
        if !whole && done.len() < texts.len() {
            done.push(Err(Flaw::new(0..0, "the parser of CEL broke off")));
        }
    }
    done
}

#[cfg(test)]
mod tests;

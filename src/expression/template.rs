//! Text with expressions in braces: `{cluster.name} has {size(cluster.podCIDRs)} ranges`.

use std::fmt::Write as _;
use std::ops::Range;

use super::evaluate::{Environment, Meter};
use super::{Flaw, Names, Program};

/// Longest text that a template becomes, in bytes; what is longer is cut.
const MAX_OUTPUT: usize = 2_000;
/// Most expressions of a template.
const MAX_PARTS: usize = 20;

/// A text with expressions.
#[derive(Clone, Debug)]
pub struct Template {
    parts: Vec<Part<Program>>,
}

#[derive(Clone, Debug)]
enum Part<T> {
    Text(String),
    Expression(Range<usize>, T),
}

impl Template {
    /// Reads a template. `{{` and `}}` stand for braces.
    ///
    /// # Errors
    /// The first thing that is wrong with it, placed in the template's text.
    pub fn compile(text: &str, names: &Names) -> Result<Self, Flaw> {
        let parts = split(text)?;
        let texts: Vec<_> = parts
            .iter()
            .filter_map(|part| match part {
                Part::Text(_) => None,
                Part::Expression(at, ()) => Some((&text[at.clone()], names)),
            })
            .collect();
        let mut programs = super::compile_all(&texts).into_iter();
        let parts = parts.into_iter().map(|part| match part {
            Part::Text(text) => Ok(Part::Text(text)),
            Part::Expression(at, ()) => match programs.next() {
                Some(Ok(program)) => Ok(Part::Expression(at, program)),
                Some(Err(flaw)) => Err(within(&at, flaw)),
                None => Err(Flaw::new(at, "it was not parsed")),
            },
        });
        Ok(Self { parts: parts.collect::<Result<_, _>>()? })
    }

    /// The expressions in it.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Expression(_, program) => Some(program),
        })
    }

    /// Fills it in; what cannot be evaluated becomes `?`, and the first such flaw is given, too.
    pub fn fill<'a>(
        &'a self,
        environment: &Environment<'a>,
        meter: &mut Meter,
    ) -> (String, Option<Flaw>) {
        let (mut text, mut flaw) = (String::new(), None);
        for part in &self.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Expression(at, program) => match environment.evaluate(program, meter) {
                    Ok(value) => {
                        let mut out = Bounded { text: &mut text, left: MAX_OUTPUT };
                        // It only stops where there is enough of it.
                        let _ = write!(out, "{value}");
                    }
                    Err(wrong) => {
                        text.push('?');
                        flaw = flaw.or_else(|| Some(within(at, wrong)));
                    }
                },
            }
        }
        let line = |c: char| if c.is_control() { ' ' } else { c };
        (text.chars().map(line).take(MAX_OUTPUT).collect(), flaw)
    }
}

/// Takes so many bytes and no more.
struct Bounded<'t> {
    text: &'t mut String,
    left: usize,
}

impl std::fmt::Write for Bounded<'_> {
    fn write_str(&mut self, part: &str) -> std::fmt::Result {
        let fits = part.floor_char_boundary(self.left);
        self.text.push_str(&part[..fits]);
        self.left -= fits;
        if fits < part.len() { Err(std::fmt::Error) } else { Ok(()) }
    }
}

/// A flaw of an expression, placed in the text around it.
fn within(at: &Range<usize>, flaw: Flaw) -> Flaw {
    let place = at.start + flaw.at.start..at.start + flaw.at.end;
    Flaw { at: if flaw.at.is_empty() { at.clone() } else { place }, ..flaw }
}

fn split(text: &str) -> Result<Vec<Part<()>>, Flaw> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = 0;
    while let Some(found) = text[rest..].find(['{', '}']) {
        let at = rest + found;
        plain.push_str(&text[rest..at]);
        let brace = &text[at..=at];
        if text[at + 1..].starts_with(brace) {
            plain.push_str(brace);
            rest = at + 2;
            continue;
        }
        if brace == "}" {
            return Err(Flaw::new(at..at + 1, "a brace is closed that was not opened; write `}}`"));
        }
        let Some(end) = close(&text[at + 1..]).map(|end| at + 1 + end) else {
            return Err(Flaw::new(at..at + 1, "the brace is not closed; write `{{` for a brace"));
        };
        if !plain.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut plain)));
        }
        parts.push(Part::Expression(at + 1..end, ()));
        if parts.len() > 2 * MAX_PARTS {
            return Err(Flaw::new(at..end, format!("there are more than {MAX_PARTS} expressions")));
        }
        rest = end + 1;
    }
    plain.push_str(&text[rest..]);
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    Ok(parts)
}

/// The place of the brace that closes an expression.
fn close(text: &str) -> Option<usize> {
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    for (at, c) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None => match c {
                '"' | '\'' => quote = Some(c),
                '{' => depth += 1,
                '}' if depth == 0 => return Some(at),
                '}' => depth -= 1,
                _ => {}
            },
        }
    }
    None
}

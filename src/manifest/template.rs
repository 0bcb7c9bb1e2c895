//! The language of Flux's variables: `${NAME}` and the functions on it.
//!
//! Source: `parse/parse.go`, `parse/scan.go`, `template.go` and `funcs.go` of
//! github.com/fluxcd/pkg/envsubst 1.8.0, which kustomize-controller runs after each build. It looks
//! like bash and is not: `${NAME:+x}` gives `x` where NAME is empty, `${NAME-x}` is an error.

use std::collections::BTreeSet;

mod evaluate;

/// Deepest nesting of `${…}` that is followed.
const MAX_NESTING: usize = 16;

/// Gives the value of a variable.
pub(super) type Lookup<'a, 'v> = &'a (dyn Fn(&str) -> Option<&'v str> + 'a);

/// Why a text has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// These variables have neither a value nor a default.
    Unknown(BTreeSet<String>),
    /// Flux refuses the text, which keeps it from applying anything.
    Refused(&'static str),
    /// It may have a result, which is not worked out here.
    Unsupported(&'static str),
    /// The result is no YAML, and why.
    Unreadable(String),
    /// The result would take more than the budget.
    TooLarge,
}

/// A part of a text.
#[derive(Debug)]
enum Piece {
    Text(String),
    Call(Call),
}

/// `${name}`, or `${name function arguments}`.
#[derive(Debug)]
struct Call {
    name: String,
    function: String,
    arguments: Vec<Piece>,
}

/// Replaces the variables of `text`; what is produced and compared is taken off `budget`, in
/// bytes.
pub(super) fn expand(
    text: &str,
    value: Lookup<'_, '_>,
    budget: &mut usize,
) -> Result<String, Problem> {
    let mut reader = Reader { text, at: 0 };
    let mut evaluator = evaluate::Evaluator { value, budget };
    let mut joined = evaluate::Joined::default();
    // Each piece is evaluated before the next is read: a text may have millions.
    while let Some(piece) = reader.next()? {
        joined.add(evaluator.piece(&piece))?;
    }
    joined.finish()
}

/// The name of the first variable that `text` names, as a person would see one.
pub(super) fn first_name(text: &str) -> Option<&str> {
    text.match_indices("${").find_map(|(at, _)| {
        let rest = &text[at + 2..];
        let rest = rest.strip_prefix('#').unwrap_or(rest);
        let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let known = rest[length..].starts_with(['}', ':', '=', '/', '#', '%', '^', ',']);
        (length > 0 && known && !rest.starts_with(|c: char| c.is_ascii_digit()))
            .then_some(&rest[..length])
    })
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Which pairs of characters stand for their second one.
#[derive(Clone, Copy, PartialEq)]
enum Escapes {
    None,
    /// `$$`.
    Dollar,
    /// `$$`, `\/` and `\\`.
    All,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Takes up to `most` characters that `accept` names.
    fn take(&mut self, most: usize, accept: impl Fn(char) -> bool) -> String {
        let taken: String = self.rest().chars().take_while(|c| accept(*c)).take(most).collect();
        self.at += taken.len();
        taken
    }

    /// Takes text up to `${` or a character of `stops`.
    fn text(&mut self, escapes: Escapes, stops: &[char]) -> String {
        let mut taken = String::new();
        while let Some(first) = self.peek() {
            let rest = self.rest().as_bytes();
            let second = match (first, rest.get(1)) {
                ('$', Some(b'{')) => break,
                ('$', Some(b'$')) if escapes != Escapes::None => Some('$'),
                ('\\', Some(b'/')) if escapes == Escapes::All => Some('/'),
                ('\\', Some(b'\\')) if escapes == Escapes::All => Some('\\'),
                _ => None,
            };
            if let Some(second) = second {
                taken.push(second);
                self.at += 2;
            } else if stops.contains(&first) {
                break;
            } else {
                taken.push(first);
                self.at += first.len_utf8();
            }
        }
        taken
    }

    fn next(&mut self) -> Result<Option<Piece>, Problem> {
        if self.rest().starts_with("${") {
            return self.call(0).map(|call| Some(Piece::Call(call)));
        }
        let text = self.text(Escapes::Dollar, &[]);
        Ok((!text.is_empty()).then_some(Piece::Text(text)))
    }

    /// Reads a call; the reader stands at `${`.
    fn call(&mut self, depth: usize) -> Result<Call, Problem> {
        if depth > MAX_NESTING {
            return Err(Problem::Unsupported("it nests `${` more than 16 deep"));
        }
        self.at += 2;
        if self.peek() == Some('#') {
            self.at += 1;
            let call = Call { name: self.name()?, function: "#".to_owned(), arguments: Vec::new() };
            self.close()?;
            return Ok(call);
        }
        let name = self.name()?;
        let next = self.rest().chars().nth(1);
        let (function, arguments) = match self.peek() {
            Some('}') => (String::new(), Vec::new()),
            Some(':') if next.is_some_and(|c| "=-?+".contains(c)) => {
                (self.take(2, |_| true), self.defaults(depth)?)
            }
            Some('=') => (self.take(1, |_| true), self.defaults(depth)?),
            Some(':') => (self.take(1, |_| true), self.substring(depth)?),
            Some(',' | '^') => (self.take(2, |c| c == ',' || c == '^'), Vec::new()),
            Some('/') => {
                let twice = next.is_some_and(|c| "/#%".contains(c));
                (self.take(1 + usize::from(twice), |_| true), self.replacement(depth)?)
            }
            Some(mark @ ('#' | '%')) => {
                let function = self.take(2, |c| c == mark);
                (function, vec![self.argument(depth, Escapes::None, &['}'])?])
            }
            _ => return Err(Problem::Refused("a `}` is missing")),
        };
        self.close()?;
        Ok(Call { name, function, arguments })
    }

    fn name(&mut self) -> Result<String, Problem> {
        let name = self.take(usize::MAX, is_name);
        if name.is_empty() {
            return Err(Problem::Refused("no variable is named after `${`"));
        }
        Ok(name)
    }

    fn close(&mut self) -> Result<(), Problem> {
        if self.take(1, |c| c == '}').is_empty() {
            return Err(Problem::Refused("a `}` is missing"));
        }
        Ok(())
    }

    /// One argument: a call, or text that is not empty.
    fn argument(
        &mut self,
        depth: usize,
        escapes: Escapes,
        stops: &[char],
    ) -> Result<Piece, Problem> {
        if self.rest().starts_with("${") {
            return self.call(depth + 1).map(Piece::Call);
        }
        let text = self.text(escapes, stops);
        if text.is_empty() {
            return Err(Problem::Refused("an argument is missing"));
        }
        Ok(Piece::Text(text))
    }

    fn defaults(&mut self, depth: usize) -> Result<Vec<Piece>, Problem> {
        let mut arguments = Vec::new();
        while self.peek() != Some('}') {
            arguments.push(self.argument(depth, Escapes::None, &['}'])?);
        }
        Ok(arguments)
    }

    fn substring(&mut self, depth: usize) -> Result<Vec<Piece>, Problem> {
        let mut arguments = vec![self.argument(depth, Escapes::None, &[':', '}'])?];
        if !self.take(usize::MAX, |c| c == ':').is_empty() {
            arguments.push(self.argument(depth, Escapes::None, &['}'])?);
        }
        Ok(arguments)
    }

    fn replacement(&mut self, depth: usize) -> Result<Vec<Piece>, Problem> {
        let mut arguments = vec![if self.peek() == Some('/') {
            Piece::Text(String::new())
        } else {
            self.argument(depth, Escapes::All, &['/'])?
        }];
        if self.take(usize::MAX, |c| c == '/').is_empty() {
            return Err(Problem::Refused("a `/` is missing"));
        }
        if self.peek() != Some('}') {
            arguments.push(self.argument(depth, Escapes::All, &['}'])?);
        }
        Ok(arguments)
    }
}

#[cfg(test)]
mod tests;

//! What the functions on variables give.

use std::collections::BTreeSet;

use super::{Call, Lookup, Piece, Problem};

pub(super) struct Evaluator<'a, 'v> {
    pub(super) value: Lookup<'a, 'v>,
    pub(super) budget: &'a mut usize,
}

/// The results of pieces, put together.
#[derive(Default)]
pub(super) struct Joined {
    text: String,
    unknown: BTreeSet<String>,
}

impl Joined {
    /// Adds a result; of unknown variables the names, so that all are told at once.
    pub(super) fn add(&mut self, result: Result<String, Problem>) -> Result<(), Problem> {
        match result {
            Ok(text) => self.text.push_str(&text),
            Err(Problem::Unknown(names)) => self.unknown.extend(names),
            Err(problem) => return Err(problem),
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<String, Problem> {
        if self.unknown.is_empty() { Ok(self.text) } else { Err(Problem::Unknown(self.unknown)) }
    }
}

impl Evaluator<'_, '_> {
    fn join(&mut self, pieces: &[Piece]) -> Result<String, Problem> {
        let mut joined = Joined::default();
        pieces.iter().try_for_each(|piece| joined.add(self.piece(piece)))?;
        joined.finish()
    }

    pub(super) fn piece(&mut self, piece: &Piece) -> Result<String, Problem> {
        let text = match piece {
            Piece::Text(text) => text.clone(),
            Piece::Call(call) => self.call(call)?,
        };
        self.spend(text.len())?;
        Ok(text)
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Problem> {
        *self.budget = self.budget.checked_sub(bytes).ok_or(Problem::TooLarge)?;
        Ok(())
    }

    fn call(&mut self, call: &Call) -> Result<String, Problem> {
        let value = (self.value)(&call.name);
        if matches!(&*call.function, "=" | ":=" | ":-" | ":?" | ":+") {
            // Flux evaluates the default even where it is not used, and misses its variables.
            let default = self.join(&call.arguments)?;
            return Ok(value.filter(|value| !value.is_empty()).map_or(default, str::to_owned));
        }
        let Some(value) = value else {
            return Err(Problem::Unknown(BTreeSet::from([call.name.clone()])));
        };
        let arguments: Vec<String> =
            call.arguments.iter().map(|piece| self.piece(piece)).collect::<Result<_, _>>()?;
        match (&*call.function, &*arguments) {
            ("#", []) => Ok(value.len().to_string()),
            (",", _) => cased(value, 1, char::to_lowercase),
            (",,", _) => cased(value, usize::MAX, char::to_lowercase),
            ("^", _) => cased(value, 1, char::to_uppercase),
            ("^^", _) => cased(value, usize::MAX, char::to_uppercase),
            (":", [position]) => substring(value, position, None),
            (":", [position, length]) => substring(value, position, Some(length)),
            ("#" | "##" | "%" | "%%", [pattern]) => self.trimmed(&call.function, value, pattern),
            ("/" | "//", [pattern]) => self.replaced(&call.function, value, pattern, ""),
            ("/" | "//" | "/#" | "/%", [pattern, with]) => {
                self.replaced(&call.function, value, pattern, with)
            }
            _ => Ok(value.to_owned()),
        }
    }

    fn replaced(
        &mut self,
        function: &str,
        value: &str,
        pattern: &str,
        with: &str,
    ) -> Result<String, Problem> {
        self.spend(value.len())?;
        if function == "//" {
            let times = value.matches(pattern).count();
            self.spend(times.saturating_mul(with.len()))?;
        }
        Ok(match function {
            "//" => value.replace(pattern, with),
            "/%" => match value.strip_suffix(pattern) {
                Some(start) => format!("{start}{with}"),
                None => value.to_owned(),
            },
            "/#" if !value.starts_with(pattern) => value.to_owned(),
            _ => value.replacen(pattern, with, 1),
        })
    }

    fn trimmed(&mut self, function: &str, value: &str, pattern: &str) -> Result<String, Problem> {
        if !value.is_ascii() || !pattern.is_ascii() {
            return Err(Problem::Unsupported("it matches a pattern with more than ASCII"));
        }
        if pattern.contains(['[', '\\']) {
            return Err(Problem::Unsupported("it matches a pattern with `[` or `\\`"));
        }
        self.spend(value.len().saturating_mul(pattern.len()))?;
        let (mut value, mut pattern) = (value.as_bytes().to_vec(), pattern.as_bytes().to_vec());
        let at_end = function.starts_with('%');
        if at_end {
            value.reverse();
            pattern.reverse();
        }
        let matched = matching_prefixes(&value, &pattern);
        let mut lengths = (1..=value.len()).filter(|length| matched[*length]);
        let length = if function.len() == 1 { lengths.next() } else { lengths.next_back() };
        let mut rest = value.split_off(length.unwrap_or(0));
        if at_end {
            rest.reverse();
        }
        Ok(rest.into_iter().map(char::from).collect())
    }
}

/// For each length whether the prefix of that length matches a pattern of `*`, `?` and text.
fn matching_prefixes(value: &[u8], pattern: &[u8]) -> Vec<bool> {
    let mut reached = vec![false; value.len() + 1];
    reached[0] = true;
    for mark in pattern {
        if *mark == b'*' {
            let first = reached.iter().position(|is| *is).unwrap_or(reached.len());
            reached[first..].fill(true);
            continue;
        }
        for at in (0..value.len()).rev() {
            reached[at + 1] = reached[at] && (*mark == b'?' || *mark == value[at]);
        }
        reached[0] = false;
    }
    reached
}

/// Changes the case of the first `most` characters, each to one character as Go does.
fn cased<I: ExactSizeIterator<Item = char>>(
    value: &str,
    most: usize,
    change: impl Fn(char) -> I,
) -> Result<String, Problem> {
    let mut changed = String::with_capacity(value.len());
    for (at, character) in value.chars().enumerate() {
        let mut other = change(character);
        match (at < most, other.len(), other.next()) {
            (false, ..) => changed.push(character),
            (true, 1, Some(other)) => changed.push(other),
            _ => return Err(Problem::Unsupported("Go changes the case of a letter differently")),
        }
    }
    Ok(changed)
}

/// The part of a value from a byte on; what is no number gives the whole value.
fn substring(value: &str, position: &str, length: Option<&str>) -> Result<String, Problem> {
    let Ok(position) = position.parse::<i64>() else { return Ok(value.to_owned()) };
    let size = i64::try_from(value.len()).unwrap_or(i64::MAX);
    let start = if position < 0 { (size + position.max(-size)).max(0) } else { position };
    let end = match length.map(str::parse::<i64>) {
        None => size,
        Some(Err(_)) => return Ok(value.to_owned()),
        Some(Ok(length)) if length < 0 => {
            return Err(Problem::Unsupported("versions of Flux differ on a negative length"));
        }
        Some(Ok(length)) => start.saturating_add(length).min(size),
    };
    let range = |at: i64| usize::try_from(at.min(size)).unwrap_or(0);
    let (start, end) = (range(start), range(end));
    let part = value.get(start..end.max(start));
    part.map(str::to_owned).ok_or(Problem::Unsupported("it cuts a character into bytes"))
}

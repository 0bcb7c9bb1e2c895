//! `# landbridge: allow(LB2007, unreachable-flow) reason until 2027-01-31`

use std::ops::Range;

use crate::system::Date;
use crate::yaml::comments::PREFIX;

/// What a comment says. Ranges are bytes of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said<'a> {
    /// The rules that it names.
    pub(super) rules: Vec<Range<usize>>,
    /// Why.
    pub(super) reason: &'a str,
    /// The last day.
    pub(super) until: Option<Date>,
}

/// What is wrong with a comment, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) range: Range<usize>,
    pub(super) message: String,
    pub(super) help: &'static str,
}

const FORM: &str = "write `# landbridge: allow(RULE) reason`, or `… reason until 2027-01-31`";
const DAY: &str =
    "end it with a day, such as `until 2027-01-31`, or say the reason without `until`";
/// Longest part of a comment that is repeated in a finding.
const LONGEST: usize = 40;

/// Reads a comment that begins with landbridge's name.
pub(super) fn read(comment: &str) -> Result<Said<'_>, Problem> {
    let all = comment.trim_end();
    let problem = |range: Range<usize>, message: &str| {
        let range = if range.is_empty() { 0..all.len() } else { range };
        Problem { range, message: message.to_owned(), help: FORM }
    };
    let mut at = skip(all, 0, |c| c == '#');
    at = blanks(all, at) + PREFIX.len();
    at = blanks(all, at);
    if !all[at..].starts_with(':') {
        return Err(problem(0..0, "a `:` is missing behind `landbridge`"));
    }
    let word = blanks(all, at + 1);
    at = skip(all, word, |c| !c.is_whitespace() && c != '(');
    if &all[word..at] != "allow" {
        let said = shown(&all[word..at]);
        let message = format!("landbridge reads `allow` in a comment, and no `{said}`");
        return Err(problem(word..at, &message));
    }
    let open = blanks(all, at);
    if !all[open..].starts_with('(') {
        return Err(problem(word..at, "the rule that is accepted is missing behind `allow`"));
    }
    let Some(close) = all[open..].find(')').map(|length| open + length) else {
        return Err(problem(open..all.len(), "a `)` is missing"));
    };
    let mut rules = Vec::new();
    let mut from = open + 1;
    for part in all[open + 1..close].split(',') {
        let start = blanks(all, from).min(from + part.len());
        let rule = start..start + part.trim().len();
        if rule.is_empty() {
            return Err(problem(open..close + 1, "the name of a rule is missing"));
        }
        rules.push(rule);
        from += part.len() + 1;
    }
    let (reason, until) = reason(all, close + 1)?;
    if !reason.chars().any(char::is_alphanumeric) {
        return Err(problem(0..0, "the acceptance gives no reason"));
    }
    Ok(Said { rules, reason, until })
}

/// The reason, and the day behind the last `until`.
fn reason(all: &str, from: usize) -> Result<(&str, Option<Date>), Problem> {
    let mut words = Vec::new();
    let mut at = blanks(all, from);
    while at < all.len() {
        let end = skip(all, at, |c| !c.is_whitespace());
        words.push(at..end);
        at = blanks(all, end);
    }
    let is_until = |word: &Range<usize>| all[word.clone()].eq_ignore_ascii_case("until");
    for (index, until) in words.iter().enumerate().filter(|(_, word)| is_until(word)) {
        let Some(day) = words.get(index + 1) else {
            let message = "the day behind `until` is missing".to_owned();
            return Err(Problem { range: until.clone(), message, help: DAY });
        };
        let last = index + 2 == words.len();
        match (all[day.clone()].parse(), last) {
            (Ok(date), true) => return Ok((all[from..until.start].trim(), Some(date))),
            (Err(_), false) if !all[day.clone()].starts_with(|c: char| c.is_ascii_digit()) => {}
            (Ok(_), false) => {
                let message = "something stands behind the day of an acceptance".to_owned();
                return Err(Problem { range: day.end..all.len(), message, help: DAY });
            }
            (Err(_), _) => {
                let message = format!("`{}` is not a day", shown(&all[day.clone()]));
                return Err(Problem { range: day.clone(), message, help: DAY });
            }
        }
    }
    Ok((all[from..].trim(), None))
}

fn skip(text: &str, from: usize, skipped: impl Fn(char) -> bool) -> usize {
    text.len() - text[from..].trim_start_matches(skipped).len()
}

fn blanks(text: &str, from: usize) -> usize {
    skip(text, from, char::is_whitespace)
}

fn shown(text: &str) -> String {
    let short: String = text.chars().take(LONGEST).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{}{more}", short.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_accepted_is_read() {
        for (comment, rules, reason, until) in [
            ("# landbridge: allow(LB2007) a reason", vec!["LB2007"], "a reason", None),
            (
                "# landbridge: allow(LB2007, unreachable-flow) a reason until 2027-01-31",
                vec!["LB2007", "unreachable-flow"],
                "a reason",
                Some("2027-01-31"),
            ),
            ("#landbridge:allow(P-x)y", vec!["P-x"], "y", None),
            (
                "##  LandBridge :  allow (  a ,b ) é until we move ",
                vec!["a", "b"],
                "é until we move",
                None,
            ),
            (
                "# landbridge: allow(a) until we move until 2027-01-31\r",
                vec!["a"],
                "until we move",
                Some("2027-01-31"),
            ),
        ] {
            let said = read(comment).unwrap();
            let named: Vec<_> = said.rules.iter().map(|rule| &comment[rule.clone()]).collect();
            assert_eq!((named, said.reason), (rules, reason), "{comment}");
            assert_eq!(said.until, until.map(|day| day.parse().unwrap()), "{comment}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (comment, place, message) in [
            (
                "# landbridge allow(a) b",
                "# landbridge allow(a) b",
                "a `:` is missing behind `landbridge`",
            ),
            ("# landbridge:", "# landbridge:", "landbridge reads `allow` in a comment, and no ``"),
            (
                "# landbridge: alow(a) b",
                "alow",
                "landbridge reads `allow` in a comment, and no `alow`",
            ),
            (
                "# landbridge: allow a b",
                "allow",
                "the rule that is accepted is missing behind `allow`",
            ),
            ("# landbridge: allow(a b", "(a b", "a `)` is missing"),
            ("# landbridge: allow() b", "()", "the name of a rule is missing"),
            ("# landbridge: allow(a,) b", "(a,)", "the name of a rule is missing"),
            ("# landbridge: allow(a)", "# landbridge: allow(a)", "the acceptance gives no reason"),
            (
                "# landbridge: allow(a) - until 2027-01-31",
                "# landbridge: allow(a) - until 2027-01-31",
                "the acceptance gives no reason",
            ),
            ("# landbridge: allow(a) b until", "until", "the day behind `until` is missing"),
            ("# landbridge: allow(a) b until Q3", "Q3", "`Q3` is not a day"),
            (
                "# landbridge: allow(a) b until 2027-02-30",
                "2027-02-30",
                "`2027-02-30` is not a day",
            ),
            ("# landbridge: allow(a) b until 31.1.2027 c", "31.1.2027", "`31.1.2027` is not a day"),
            (
                "# landbridge: allow(a) b until 2027-01-31 c",
                " c",
                "something stands behind the day of an acceptance",
            ),
        ] {
            let problem = read(comment).unwrap_err();
            assert_eq!((&comment[problem.range], &*problem.message), (place, message), "{comment}");
        }
    }
}

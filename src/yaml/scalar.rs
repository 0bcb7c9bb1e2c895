//! What a plain scalar means.
//!
//! [`go`] reads it as Helm, kubectl, Argo CD and Flux do: `sigs.k8s.io/yaml` over go-yaml, which
//! resolves YAML 1.1's booleans and octal numbers and YAML 1.2's `0o`. [`is_ambiguous`] says
//! whether a reader of YAML 1.2 would disagree; in the language's own files that is an error.

/// What a plain scalar is, as Go reads it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Resolved {
    /// Empty, `~` or `null`.
    Null,
    /// A boolean, YAML 1.1's words included.
    Bool(bool),
    /// An integer.
    Integer(i128),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// Anything else.
    Text,
}

/// Reads a plain scalar as Go does.
pub fn go(text: &str) -> Resolved {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Resolved::Null,
        "true" | "True" | "TRUE" | "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            return Resolved::Bool(true);
        }
        "false" | "False" | "FALSE" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Resolved::Bool(false);
        }
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Resolved::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Resolved::Float(f64::NEG_INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Resolved::Float(f64::NAN),
        _ => {}
    }
    // Only these can start a number; most scalars are names and leave here.
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return Resolved::Text;
    }
    if let Some(number) = integer(text) {
        return Resolved::Integer(number);
    }
    float(text).map_or(Resolved::Text, Resolved::Float)
}

fn integer(text: &str) -> Option<i128> {
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let number = i128::from_str_radix(digits, radix).ok()?;
    let number = if negative { -number } else { number };
    // strconv.ParseUint, which reads what is too large for int64, knows no sign. Beyond 64 bits Go
    // falls back to a floating-point number.
    let most = if plain.starts_with('+') { i128::from(i64::MAX) } else { i128::from(u64::MAX) };
    (number >= i128::from(i64::MIN) && number <= most).then_some(number)
}

fn float(text: &str) -> Option<f64> {
    // go-yaml takes underscores out of what starts with a digit or a sign; what starts with a point
    // it leaves to strconv.ParseFloat, where an underscore stands between two digits.
    if text.starts_with('.') && !underscores_separate_digits(text) {
        return None;
    }
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    let body = plain.strip_prefix(['-', '+']).unwrap_or(&plain);
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (body, None),
    };
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    // A number that is too large for 64 bits is no number to Go but text.
    plain.parse::<f64>().ok().filter(|number| number.is_finite())
}

fn underscores_separate_digits(text: &str) -> bool {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    let separates = |at: usize| is_digit(bytes.get(at - 1)) && is_digit(bytes.get(at + 1));
    (1..bytes.len()).filter(|at| bytes[*at] == b'_').all(separates)
}

/// Whether readers of YAML 1.1 and of YAML 1.2 disagree about a plain scalar, or read as a number
/// what a person may have meant as text.
pub fn is_ambiguous(text: &str) -> bool {
    match go(text) {
        Resolved::Null => !matches!(text, "" | "~" | "null"),
        Resolved::Bool(_) => !matches!(text, "true" | "false"),
        Resolved::Integer(number) => number.to_string() != text,
        Resolved::Float(_) => true,
        Resolved::Text => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_helm_does() {
        for (text, expected) in [
            ("yes", Resolved::Bool(true)),
            ("on", Resolved::Bool(true)),
            ("y", Resolved::Bool(true)),
            ("0644", Resolved::Integer(420)),
            ("1_000", Resolved::Integer(1000)),
            ("0o644", Resolved::Integer(420)),
            ("0x1F", Resolved::Integer(31)),
            ("0b11", Resolved::Integer(3)),
            ("1e3", Resolved::Float(1000.0)),
            ("~", Resolved::Null),
            ("12:30:45", Resolved::Text),
            ("2024-01-01", Resolved::Text),
            ("1.0", Resolved::Float(1.0)),
            ("1e1000", Resolved::Text),
            ("089", Resolved::Float(89.0)),
            ("-1", Resolved::Integer(-1)),
            ("1_0.5", Resolved::Float(10.5)),
            (".5_", Resolved::Text),
            (".5_1", Resolved::Float(0.51)),
            ("+0xFFFFFFFFFFFFFFFF", Resolved::Text),
            ("1.2.3", Resolved::Text),
            ("10.0.0.0/8", Resolved::Text),
            ("-", Resolved::Text),
            ("+", Resolved::Text),
            (".", Resolved::Text),
        ] {
            assert_eq!(go(text), expected, "{text}");
        }
    }

    #[test]
    fn ambiguity_is_what_two_readers_see_differently() {
        for text in ["no", "y", "010", "1_000", "0x10", "1.20", "Null", "True", "1e3", "+1"] {
            assert!(is_ambiguous(text), "{text}");
        }
        for text in ["true", "0", "10", "-5", "null", "", "use1", "1.19.6", "10.0.0.0/8"] {
            assert!(!is_ambiguous(text), "{text}");
        }
    }
}

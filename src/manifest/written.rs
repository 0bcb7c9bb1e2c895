//! How Flux writes the strings of an object before it replaces variables in them.
//!
//! kustomize-controller builds the objects, writes each anew and replaces variables in that text,
//! so that quotes of the file do not matter: `port: "${PORT}"` becomes a number. Source:
//! `SubstituteVariables` of github.com/fluxcd/pkg/kustomize, which calls `AsYAML`, which is
//! `JSONToYAML` of sigs.k8s.io/yaml; the styles are those of `stringv` and
//! `yaml_emitter_analyze_scalar` of go.yaml.in/yaml/v2.

use std::fmt::Write as _;

/// Whether a string, which must not look like a number or a word of YAML, is written as it is.
pub(super) fn is_plain(text: &str) -> bool {
    style(text) == Style::Plain
}

/// Writes a string as Flux does. A literal block has its lines indented by four spaces.
pub(super) fn written(text: &str) -> String {
    match style(text) {
        Style::Plain => text.to_owned(),
        Style::Single => format!("'{}'", text.replace('\'', "''")),
        Style::Double => double_quoted(text),
        Style::Literal => literal(text),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

fn style(text: &str) -> Style {
    let special = text.chars().any(|c| !is_printable(c));
    let (mut space_break, mut break_space, mut previous) = (false, false, ' ');
    for (at, character) in text.char_indices() {
        space_break |= at > 0 && previous == ' ' && is_break(character);
        break_space |= at > 0 && is_break(previous) && character == ' ';
        previous = character;
    }
    let breaks = text.contains(is_break);
    let unquotable = special || space_break;
    if text.contains('\n') {
        let literal = !unquotable && !text.ends_with(' ');
        return if literal { Style::Literal } else { Style::Double };
    }
    let edge = text.starts_with(' ') || text.ends_with(' ') || text.is_empty();
    if !unquotable && !breaks && !edge && !has_indicator(text) {
        return Style::Plain;
    }
    if unquotable || break_space { Style::Double } else { Style::Single }
}

/// Whether a character would be read as YAML's own at the place where it stands.
fn has_indicator(text: &str) -> bool {
    if text.starts_with("---") || text.starts_with("...") {
        return true;
    }
    let bytes = text.as_bytes();
    let is_blank = |at: usize| bytes.get(at).is_none_or(|byte| matches!(byte, b' ' | b'\t'));
    (0..bytes.len()).any(|at| match bytes[at] {
        b':' => is_blank(at + 1),
        b'?' | b'-' if at == 0 => is_blank(1),
        b'#' => at == 0 || is_blank(at - 1),
        b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"'
        | b'%' | b'@' | b'`' => at == 0,
        _ => false,
    })
}

fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && character != '\u{feff}'
}

fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn literal(text: &str) -> String {
    let mut written = "|".to_owned();
    if text.starts_with([' ', '\n']) {
        written.push('4');
    }
    if !text.ends_with('\n') {
        written.push('-');
    } else if text == "\n" || text.ends_with("\n\n") {
        written.push('+');
    }
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        written.push('\n');
        if !line.is_empty() {
            written.push_str("    ");
            written.push_str(line);
        }
    }
    written
}

fn double_quoted(text: &str) -> String {
    let mut written = "\"".to_owned();
    for character in text.chars() {
        match character {
            '"' | '\\' => written.extend(['\\', character]),
            '\n' => written.push_str("\\n"),
            '\t' => written.push_str("\\t"),
            '\r' => written.push_str("\\r"),
            _ if is_printable(character) && !is_break(character) => written.push(character),
            _ => write!(written, "\\U{:08X}", u32::from(character))
                .expect("internal error: text takes text"),
        }
    }
    written.push('"');
    written
}

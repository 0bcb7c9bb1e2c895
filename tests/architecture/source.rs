//! One source file as the architecture tests see it.
//!
//! The file is read as tokens, so that comments and strings never count, and braces need no
//! counting.

use std::collections::BTreeSet;
use std::iter::Peekable;

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, LexError, TokenStream, TokenTree};

/// A path that starts at the crate root, outside tests.
#[derive(Debug)]
pub(super) struct Use {
    /// The first name after the root: a module, or an exported macro.
    pub(super) name: String,
    /// The line, from 1.
    pub(super) line: usize,
}

/// What the tests ask of a file.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// Every path to the crate root, by `crate::`, `$crate::` or enough of `super::`.
    pub(super) uses: Vec<Use>,
    /// Every macro that the file declares.
    pub(super) macros: Vec<String>,
    /// Modules in files of their own that exist for tests only, as paths without `.rs`.
    pub(super) test_modules: Vec<String>,
    /// Whether the whole file exists for tests only.
    pub(super) tests_only: bool,
    /// Lines, without those of items under `#[cfg(test)]`.
    pub(super) lines_without_tests: usize,
}

impl Source {
    /// Reads the file that stands at `path` below `src/`.
    ///
    /// # Errors
    ///
    /// The text is not made of Rust's tokens.
    pub(super) fn read(path: &str, text: &str) -> Result<Self, LexError> {
        let module = path.trim_end_matches(".rs").to_owned();
        let depth = module.split('/').count();
        let mut reader = Reader { module, source: Self::default(), test_lines: BTreeSet::new() };
        reader.block(text.parse::<TokenStream>()?, depth);
        let Reader { mut source, test_lines, .. } = reader;
        source.lines_without_tests = text.lines().count() - test_lines.len();
        Ok(source)
    }
}

type Tokens = Peekable<IntoIter>;

struct Reader {
    module: String,
    source: Source,
    test_lines: BTreeSet<usize>,
}

impl Reader {
    /// Reads the tokens of one pair of braces, `depth` modules below the crate root.
    fn block(&mut self, stream: TokenStream, depth: usize) {
        let mut tokens = stream.into_iter().peekable();
        let mut previous = String::new();
        while let Some(token) = tokens.next() {
            let line = token.span().start().line;
            let text = match &token {
                TokenTree::Group(group) => {
                    self.block(group.stream(), depth);
                    String::new()
                }
                other => other.to_string(),
            };
            match text.as_str() {
                "#" => self.attribute(&mut tokens, line),
                "crate" if takes_colons(&mut tokens) => self.root(&mut tokens),
                "super" => self.parent(&mut tokens, depth),
                "mod" => self.module(&mut tokens, depth),
                "!" if previous == "macro_rules" => {
                    self.source.macros.extend(tokens.peek().map(ToString::to_string));
                }
                _ => {}
            }
            previous = text;
        }
    }

    /// An attribute has begun: leaves the item out if it exists for tests only.
    fn attribute(&mut self, tokens: &mut Tokens, start: usize) {
        let inner = takes(tokens, '!');
        let Some(TokenTree::Group(attribute)) = tokens.peek() else { return };
        if !is_cfg_test(&attribute.stream()) {
            return;
        }
        tokens.next();
        if inner {
            self.source.tests_only = true;
            return;
        }
        while takes(tokens, '#') {
            tokens.next();
        }
        let end = self.test_item(tokens).unwrap_or(start);
        self.test_lines.extend(start..=end);
    }

    /// Skips the item that follows, or the field or variant. Gives its last line.
    fn test_item(&mut self, tokens: &mut Tokens) -> Option<usize> {
        const ITEMS: &[&str] = &[
            "mod",
            "fn",
            "use",
            "struct",
            "enum",
            "impl",
            "trait",
            "const",
            "static",
            "type",
            "macro_rules",
            "async",
            "unsafe",
            "extern",
        ];
        let mut words: Vec<String> = Vec::new();
        let mut end = None;
        while let Some(token) = tokens.peek() {
            let text = match token {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => "{}".to_owned(),
                TokenTree::Group(_) => String::new(),
                other => other.to_string(),
            };
            let is_item = words.iter().any(|word| ITEMS.contains(&word.as_str()));
            end = Some(token.span().end().line);
            tokens.next();
            if text == ";" || (text == "{}" && words.first().is_none_or(|word| word != "use")) {
                break;
            }
            if text == "," && !is_item {
                break;
            }
            words.push(text);
        }
        let declares = words.iter().position(|word| word == "mod").and_then(|at| words.get(at + 1));
        self.source.test_modules.extend(declares.map(|name| format!("{}/{name}", self.module)));
        end
    }

    /// `mod name` has begun: what is in its braces stands one module deeper.
    fn module(&mut self, tokens: &mut Tokens, depth: usize) {
        tokens.next();
        let body = match tokens.peek() {
            Some(TokenTree::Group(group)) => group.stream(),
            _ => return,
        };
        tokens.next();
        self.block(body, depth + 1);
    }

    /// `super` has begun: a chain of them that leaves the top-level module reaches the root.
    fn parent(&mut self, tokens: &mut Tokens, depth: usize) {
        let mut climbed = 1;
        while takes_colons(tokens) {
            if climbed >= depth {
                return self.root(tokens);
            }
            if !matches!(tokens.peek(), Some(TokenTree::Ident(ident)) if ident == "super") {
                return;
            }
            tokens.next();
            climbed += 1;
        }
    }

    /// The root and `::` are read: notes each name that follows.
    fn root(&mut self, tokens: &mut Tokens) {
        match tokens.peek() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let mut inside = group.stream().into_iter().peekable();
                tokens.next();
                while inside.peek().is_some() {
                    self.root(&mut inside);
                    while inside.next().is_some_and(|token| token.to_string() != ",") {}
                }
            }
            Some(first) => {
                let (name, line) = (first.to_string(), first.span().start().line);
                tokens.next();
                let name = name.trim_start_matches("r#").to_owned();
                self.source.uses.push(Use { name, line });
            }
            None => {}
        }
    }
}

/// Takes the mark if it is next.
fn takes(tokens: &mut Tokens, mark: char) -> bool {
    let is_next = matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == mark);
    if is_next {
        tokens.next();
    }
    is_next
}

fn takes_colons(tokens: &mut Tokens) -> bool {
    takes(tokens, ':') && takes(tokens, ':')
}

/// Whether an attribute is `cfg(test)` or `cfg(all(test, …))`.
fn is_cfg_test(attribute: &TokenStream) -> bool {
    let text: String = attribute.to_string().split_whitespace().collect();
    text == "cfg(test)" || text.starts_with("cfg(all(test,")
}

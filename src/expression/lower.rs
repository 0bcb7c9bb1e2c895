//! From what the parser gives to a tree in which every name and function is known.

use std::ops::Range;

use cel::Program as Parsed;
use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo, operators,
};
use regex::Regex;

use super::function::{self, Function};
use super::value::Value;
use super::{Flaw, MAX_DEPTH, MAX_LENGTH, Names, Program, Reads};
use crate::yaml::fields::{nearest, quoted};

/// A node with its place in the text.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: Range<usize>,
    pub(super) kind: Kind,
}

/// What a node does.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Literal(Value<'static>),
    /// A variable of the environment.
    Name(usize),
    /// A variable of a macro, counted from the outermost.
    Local(usize),
    Field(Box<Node>, String),
    Has(Box<Node>, String),
    Index(Box<Node>, Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Negate(Box<Node>),
    Choose(Box<[Node; 3]>),
    Binary(Operator, Box<Node>, Box<Node>),
    Call(&'static Function, Vec<Node>),
    Matches(Box<Node>, Box<Regex>),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Fold(Fold, Box<Node>, Box<Node>),
    /// The list, what an item must fulfil, and what becomes of it.
    Collect(Box<Node>, Option<Box<Node>>, Box<Node>),
}

/// An operator of two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
}

/// A macro that makes one boolean of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fold {
    All,
    Exists,
    ExistsOne,
}

const OPERATORS: &[(&str, Operator)] = &[
    (operators::ADD, Operator::Add),
    (operators::SUBSTRACT, Operator::Subtract),
    (operators::MULTIPLY, Operator::Multiply),
    (operators::DIVIDE, Operator::Divide),
    (operators::MODULO, Operator::Modulo),
    (operators::EQUALS, Operator::Equal),
    (operators::NOT_EQUALS, Operator::NotEqual),
    (operators::LESS, Operator::Less),
    (operators::LESS_EQUALS, Operator::LessEqual),
    (operators::GREATER, Operator::Greater),
    (operators::GREATER_EQUALS, Operator::GreaterEqual),
    (operators::IN, Operator::In),
];

/// Largest compiled regular expression in bytes.
const MAX_REGEX: usize = 256 * 1024;

/// Compiles a regular expression within the bounds.
pub(super) fn regex(pattern: &str) -> Result<Regex, String> {
    let built = regex::RegexBuilder::new(pattern).size_limit(MAX_REGEX).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the regular expression is too large".to_owned(),
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            format!("the regular expression is wrong: {}", last.trim_start_matches("error: "))
        }
    })
}

/// Parses and lowers one expression.
pub(super) fn program(text: &str, names: &Names) -> Result<Program, Flaw> {
    if text.len() > MAX_LENGTH {
        let message = format!("the expression is longer than {} KiB", MAX_LENGTH / 1024);
        return Err(Flaw::new(0..0, message));
    }
    if text.trim().is_empty() {
        return Err(Flaw::new(0..0, "the expression is empty"));
    }
    let parsed = Parsed::compile(text).map_err(|errors| syntax(text, &errors))?;
    let mut lowering = Lowering {
        text,
        places: parsed.source_info(),
        names,
        locals: Vec::new(),
        reads: Reads::default(),
    };
    let root = lowering.node(parsed.expression(), 0)?;
    Ok(Program { root, reads: lowering.reads })
}

fn syntax(text: &str, errors: &cel::ParseErrors) -> Flaw {
    let Some(first) = errors.errors.first() else {
        return Flaw::new(0..0, "it cannot be parsed");
    };
    let line = usize::try_from(first.pos.0).unwrap_or_default().max(1);
    let column = usize::try_from(first.pos.1).unwrap_or_default().max(1);
    let before: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let rest = &text[before.min(text.len())..];
    let start = before + rest.char_indices().nth(column - 1).map_or(rest.len(), |(at, _)| at);
    let end = text[start..].chars().next().map_or(start, |first| start + first.len_utf8());
    let message = match &*first.msg {
        deep if deep.contains("Recursion limit") => "it is nested too deeply".to_owned(),
        other => phrase(other),
    };
    Flaw::new(start..end, message)
}

/// A message of the parser as one of ours.
fn phrase(message: &str) -> String {
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    // What could stand there instead is a list of every token.
    let message = message.split(" expecting ").next().unwrap_or(message);
    message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

struct Lowering<'a> {
    text: &'a str,
    places: &'a SourceInfo,
    names: &'a Names,
    locals: Vec<String>,
    reads: Reads,
}

impl Lowering<'_> {
    fn place(&self, id: u64) -> Range<usize> {
        let Some((start, stop)) = self.places.offset_for(id) else { return 0..0 };
        let byte = |at: usize| {
            let found = self.text.char_indices().nth(at);
            found.map_or(self.text.len(), |(byte, _)| byte)
        };
        byte(start as usize)..byte((stop.max(start) as usize).saturating_add(1))
    }

    /// The place of a name that stands behind a dot or before a bracket.
    fn word(&self, at: Range<usize>, name: &str) -> Range<usize> {
        let before = self.text[..at.start].trim_end();
        if before.ends_with(name) && self.text[at.start..].starts_with('(') {
            return before.len() - name.len()..before.len();
        }
        let after = &self.text[at.start..];
        let before = after.trim_start_matches(|c: char| c == '.' || c.is_whitespace());
        let start = at.start + after.len() - before.len();
        if before.starts_with(name) { start..start + name.len() } else { at }
    }

    fn node(&mut self, expr: &IdedExpr, depth: usize) -> Result<Node, Flaw> {
        let at = self.place(expr.id);
        if depth > MAX_DEPTH {
            let message = format!("it is nested deeper than {MAX_DEPTH} times");
            return Err(Flaw::new(at, message));
        }
        let kind = match &expr.expr {
            Expr::Literal(literal) => Kind::Literal(Self::literal(literal, &at)?),
            Expr::Ident(name) => self.name(name, &at)?,
            Expr::Select(select) => {
                return self.select(&select.operand, &select.field, select.test, at, depth);
            }
            Expr::List(list) => Kind::List(self.nodes(&list.elements, depth)?),
            Expr::Map(map) => {
                let entries = map.entries.iter().map(|entry| match &entry.expr {
                    EntryExpr::MapEntry(entry) => {
                        let key = self.node(&entry.key, depth + 1)?;
                        Ok((key, self.node(&entry.value, depth + 1)?))
                    }
                    EntryExpr::StructField(_) => Err(Flaw::new(at.clone(), NO_MESSAGES)),
                });
                Kind::Map(entries.collect::<Result<_, _>>()?)
            }
            Expr::Call(call) => self.call(call, &at, depth)?,
            Expr::Comprehension(fold) => self.fold(fold, &at, depth)?,
            Expr::Struct(_) => return Err(Flaw::new(at, NO_MESSAGES)),
            Expr::Unspecified => return Err(Flaw::new(at, "it cannot be parsed")),
        };
        Ok(Node { at, kind })
    }

    fn boxed(&mut self, expr: &IdedExpr, depth: usize) -> Result<Box<Node>, Flaw> {
        self.node(expr, depth + 1).map(Box::new)
    }

    fn nodes(&mut self, exprs: &[IdedExpr], depth: usize) -> Result<Vec<Node>, Flaw> {
        exprs.iter().map(|expr| self.node(expr, depth + 1)).collect()
    }

    fn literal(literal: &LiteralValue, at: &Range<usize>) -> Result<Value<'static>, Flaw> {
        Ok(match literal {
            LiteralValue::Boolean(value) => Value::Bool(*value.inner()),
            LiteralValue::Double(value) => Value::Double(*value.inner()),
            LiteralValue::Int(value) => Value::Int(*value.inner()),
            LiteralValue::UInt(value) => Value::Uint(*value.inner()),
            LiteralValue::String(value) => Value::text(value.inner()),
            LiteralValue::Null => Value::Null,
            LiteralValue::Bytes(_) => {
                return Err(Flaw::new(at.clone(), "there are no bytes here; write text"));
            }
        })
    }

    fn name(&mut self, name: &str, at: &Range<usize>) -> Result<Kind, Flaw> {
        if let Some(local) = self.locals.iter().rposition(|local| local == name) {
            return Ok(Kind::Local(local));
        }
        if let Some(index) = self.names.variables.iter().position(|known| known == name) {
            self.reads.whole.insert(index);
            return Ok(Kind::Name(index));
        }
        Err(self.unknown(name, at))
    }

    fn unknown(&self, name: &str, at: &Range<usize>) -> Flaw {
        let message = format!("there is no variable `{}`", name.escape_debug());
        let known = self.names.variables.iter().chain(&self.locals).map(String::as_str);
        let help = match nearest(name, known.clone()) {
            Some(near) => format!("is `{near}` meant?"),
            None => format!("there are {}", quoted(&known.collect::<Vec<_>>())),
        };
        Flaw::new(at.clone(), format!("{message}; {help}"))
    }

    fn select(
        &mut self,
        operand: &IdedExpr,
        field: &str,
        test: bool,
        at: Range<usize>,
        depth: usize,
    ) -> Result<Node, Flaw> {
        let at = self.word(at, field);
        if let Expr::Ident(name) = &operand.expr
            && !self.locals.contains(name)
        {
            let qualified = format!("{name}.{field}");
            if let Some(text) = self.names.texts.get(&qualified) {
                let text = if test { Value::Bool(true) } else { Value::text(text) };
                return Ok(Node { at, kind: Kind::Literal(text) });
            }
            if let Some(index) = self.names.variables.iter().position(|known| *known == qualified) {
                self.reads.whole.insert(index);
                return Ok(Node { at, kind: Kind::Name(index) });
            }
            if name == "variables" {
                return Err(self.unknown(&qualified, &self.place(operand.id)));
            }
            if let Some(index) = self.names.variables.iter().position(|known| known == name) {
                self.reads.fields.insert((index, field.to_owned()));
                let operand = Node { at: self.place(operand.id), kind: Kind::Name(index) };
                return Ok(Node { at, kind: field_of(operand, field, test) });
            }
        }
        let operand = self.node(operand, depth + 1)?;
        Ok(Node { at, kind: field_of(operand, field, test) })
    }

    fn call(&mut self, call: &CallExpr, at: &Range<usize>, depth: usize) -> Result<Kind, Flaw> {
        if call.target.is_none()
            && let Some(kind) = self.operator(call, depth)?
        {
            return Ok(kind);
        }
        let member = call.target.is_some();
        let mut arguments = Vec::new();
        if let Some(target) = &call.target {
            arguments.push(self.node(target, depth + 1)?);
        }
        arguments.extend(self.nodes(&call.args, depth)?);
        let name = &*call.func_name;
        if let ("matches", [_, Node { kind: Kind::Literal(pattern), at }]) = (name, &*arguments)
            && let Some(pattern) = pattern.as_str()
        {
            let regex = regex(pattern).map_err(|message| Flaw::new(at.clone(), message))?;
            return Ok(Kind::Matches(Box::new(arguments.swap_remove(0)), Box::new(regex)));
        }
        match function::find(name, member, arguments.len()) {
            Ok(function) => Ok(Kind::Call(function, arguments)),
            Err(message) => Err(Flaw::new(self.word(at.clone(), name), message)),
        }
    }

    fn operator(&mut self, call: &CallExpr, depth: usize) -> Result<Option<Kind>, Flaw> {
        Ok(Some(match (&*call.func_name, &*call.args) {
            (operators::LOGICAL_AND, [a, b]) => {
                Kind::And(self.boxed(a, depth)?, self.boxed(b, depth)?)
            }
            (operators::LOGICAL_OR, [a, b]) => {
                Kind::Or(self.boxed(a, depth)?, self.boxed(b, depth)?)
            }
            (operators::LOGICAL_NOT, [a]) => Kind::Not(self.boxed(a, depth)?),
            (operators::NEGATE, [a]) => Kind::Negate(self.boxed(a, depth)?),
            (operators::INDEX, [a, b]) => Kind::Index(self.boxed(a, depth)?, self.boxed(b, depth)?),
            (operators::CONDITIONAL, [a, b, c]) => Kind::Choose(Box::new([
                self.node(a, depth + 1)?,
                self.node(b, depth + 1)?,
                self.node(c, depth + 1)?,
            ])),
            (name, [a, b]) => {
                let Some((_, operator)) = OPERATORS.iter().find(|(known, _)| *known == name) else {
                    return Ok(None);
                };
                Kind::Binary(*operator, self.boxed(a, depth)?, self.boxed(b, depth)?)
            }
            _ => return Ok(None),
        }))
    }

    /// Recognises the macro that a comprehension was.
    fn fold(
        &mut self,
        fold: &ComprehensionExpr,
        at: &Range<usize>,
        depth: usize,
    ) -> Result<Kind, Flaw> {
        let range = self.boxed(&fold.iter_range, depth)?;
        self.locals.push(fold.iter_var.clone());
        let kind = self.body(fold, range, depth);
        self.locals.pop();
        kind?.ok_or_else(|| Flaw::new(at.clone(), "this macro is not known here"))
    }

    fn body(
        &mut self,
        fold: &ComprehensionExpr,
        range: Box<Node>,
        depth: usize,
    ) -> Result<Option<Kind>, Flaw> {
        let Expr::Call(step) = &fold.loop_step.expr else { return Ok(None) };
        let kind = match (&*step.func_name, &*step.args) {
            (operators::LOGICAL_AND, [_, test]) => {
                Kind::Fold(Fold::All, range, self.boxed(test, depth)?)
            }
            (operators::LOGICAL_OR, [_, test]) => {
                Kind::Fold(Fold::Exists, range, self.boxed(test, depth)?)
            }
            (operators::ADD, [_, item]) => {
                let Some(item) = only_item(item) else { return Ok(None) };
                Kind::Collect(range, None, self.boxed(item, depth)?)
            }
            (operators::CONDITIONAL, [test, then, _]) => {
                let test = self.boxed(test, depth)?;
                let Expr::Call(then) = &then.expr else { return Ok(None) };
                match then.args.get(1).and_then(only_item) {
                    Some(item) => Kind::Collect(range, Some(test), self.boxed(item, depth)?),
                    None => Kind::Fold(Fold::ExistsOne, range, test),
                }
            }
            _ => return Ok(None),
        };
        Ok(Some(kind))
    }
}

const NO_MESSAGES: &str = "there are no message types here; write a map";

fn field_of(operand: Node, field: &str, test: bool) -> Kind {
    let (operand, field) = (Box::new(operand), field.to_owned());
    if test { Kind::Has(operand, field) } else { Kind::Field(operand, field) }
}

fn only_item(expr: &IdedExpr) -> Option<&IdedExpr> {
    match &expr.expr {
        Expr::List(list) => list.elements.first(),
        _ => None,
    }
}

/// The name of a function that was probably meant.
pub(super) fn similar(name: &str) -> Option<&'static str> {
    nearest(name, function::FUNCTIONS.iter().map(|function| function.name))
}

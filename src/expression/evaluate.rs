//! Evaluates an expression, and counts what it costs.

use std::cell::OnceCell;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::lower::{Fold, Kind, Node};
use super::operate::{a, binary, get_field, get_index, negate};
use super::value::{Key, List, MAX_NESTING, Map, Value};
use super::{Flaw, Program};

/// Deepest evaluation: an expression with the variables that it uses.
const MAX_CALLS: usize = 160;
/// What an item of a list costs that an expression makes, in steps; so memory is bounded as well.
const ITEM: usize = 4;
/// Bytes of text that cost one step.
const BYTES: usize = 16;

/// The steps that an evaluation may still take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meter {
    left: u64,
}

/// What went wrong, before it is known where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// What it says.
    Wrong(String),
    /// No step is left.
    Exhausted,
}

impl<T: Into<String>> From<T> for Failure {
    fn from(message: T) -> Self {
        Self::Wrong(message.into())
    }
}

impl Meter {
    /// A meter with that many steps.
    pub fn new(steps: u64) -> Self {
        Self { left: steps }
    }

    /// How many steps are left.
    pub fn left(self) -> u64 {
        self.left
    }

    /// Takes steps.
    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Failure> {
        let left = self.left.checked_sub(steps as u64);
        self.left = left.unwrap_or(0);
        left.map(|_| ()).ok_or(Failure::Exhausted)
    }

    /// Takes the steps for making or reading text.
    pub(super) fn text(&mut self, bytes: usize) -> Result<(), Failure> {
        self.spend(bytes / BYTES)
    }

    /// Takes the steps for making a list.
    pub(super) fn items(&mut self, items: usize) -> Result<(), Failure> {
        self.spend(items.saturating_mul(ITEM))
    }

    /// Whether two values are equal; numbers of different kinds are compared by value.
    pub(super) fn equal(&mut self, a: &Value<'_>, b: &Value<'_>) -> Result<bool, Failure> {
        self.same(a, b, 0)
    }

    fn same(&mut self, a: &Value<'_>, b: &Value<'_>, depth: usize) -> Result<bool, Failure> {
        self.spend(1)?;
        if depth > MAX_NESTING {
            return Err("the values are nested too deeply to be compared".into());
        }
        Ok(match (a, b) {
            (Value::Null, Value::Null) => true,
            (Value::Text(a), Value::Text(b)) => {
                let (a, b) = (a.as_str(), b.as_str());
                self.text(a.len().min(b.len()))?;
                a == b
            }
            (Value::Cidr(a), Value::Cidr(b)) => a == b,
            (Value::List(a), Value::List(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                for (a, b) in a.iter().zip(b.iter()) {
                    if !self.same(&a, &b, depth + 1)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Value::Map(a), Value::Map(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                for key in a.keys() {
                    let key = Key::of(&key).ok_or("a key is not comparable")?;
                    let (Some(a), Some(b)) = (a.get(&key), b.get(&key)) else { return Ok(false) };
                    if !self.same(&a, &b, depth + 1)? {
                        return Ok(false);
                    }
                }
                true
            }
            (a, b) => a.order(b) == Some(Ordering::Equal),
        })
    }
}

/// The values of an expression's variables, in the order of the names that it was compiled with.
#[derive(Debug, Default)]
pub struct Environment<'a> {
    slots: Vec<Slot<'a>>,
}

#[derive(Debug)]
enum Slot<'a> {
    Value(Value<'a>),
    /// A variable that is evaluated when it is read first, as in an admission policy.
    Lazy(&'a Program, OnceCell<Result<Value<'a>, Flaw>>),
}

impl<'a> Environment<'a> {
    /// Adds the value of the next name.
    pub fn push(&mut self, value: Value<'a>) {
        self.slots.push(Slot::Value(value));
    }

    /// Adds an expression over the names before it as the value of the next name.
    pub fn push_lazy(&mut self, program: &'a Program) {
        self.slots.push(Slot::Lazy(program, OnceCell::new()));
    }

    /// Evaluates an expression.
    ///
    /// # Errors
    /// What went wrong, and where. A step that `meter` has no room for is such a thing.
    pub fn evaluate(&self, program: &'a Program, meter: &mut Meter) -> Result<Value<'a>, Flaw> {
        self.run(program, meter, 0)
    }

    fn run(
        &self,
        program: &'a Program,
        meter: &mut Meter,
        depth: usize,
    ) -> Result<Value<'a>, Flaw> {
        Run { environment: self, meter, locals: Vec::new(), depth }.node(&program.root)
    }
}

struct Run<'a, 'r> {
    environment: &'r Environment<'a>,
    meter: &'r mut Meter,
    locals: Vec<Value<'a>>,
    depth: usize,
}

fn placed<T>(result: Result<T, Failure>, at: &Range<usize>) -> Result<T, Flaw> {
    result.map_err(|failure| match failure {
        Failure::Wrong(message) => Flaw { at: at.clone(), message, exhausted: false },
        Failure::Exhausted => {
            let message = "it takes too many steps".to_owned();
            Flaw { at: at.clone(), message, exhausted: true }
        }
    })
}

impl<'a> Run<'a, '_> {
    fn node(&mut self, node: &'a Node) -> Result<Value<'a>, Flaw> {
        placed(self.meter.spend(1), &node.at)?;
        if self.depth >= MAX_CALLS {
            return Err(Flaw::new(node.at.clone(), "it is nested too deeply with its variables"));
        }
        self.depth += 1;
        let value = self.kind(node);
        self.depth -= 1;
        value
    }

    fn kind(&mut self, node: &'a Node) -> Result<Value<'a>, Flaw> {
        match &node.kind {
            Kind::Literal(value) => Ok(value.clone()),
            Kind::Name(name) => self.name(*name, node),
            Kind::Local(local) => Ok(self.locals[*local].clone()),
            Kind::Field(operand, field) => {
                let operand = self.node(operand)?;
                placed(get_field(&operand, field), &node.at)
            }
            Kind::Has(operand, field) => match self.node(operand)? {
                Value::Map(map) => Ok(Value::Bool(map.field(field).is_some())),
                other => {
                    let message = format!("{} has no fields", a(other.kind()));
                    Err(Flaw::new(node.at.clone(), message))
                }
            },
            Kind::Index(operand, index) => {
                let (operand, index) = (self.node(operand)?, self.node(index)?);
                placed(get_index(&operand, &index), &node.at)
            }
            Kind::And(a, b) => self.logic(a, b, false),
            Kind::Or(a, b) => self.logic(a, b, true),
            Kind::Not(operand) => self.bool(operand).map(|value| Value::Bool(!value)),
            Kind::Negate(operand) => {
                let value = self.node(operand)?;
                placed(negate(&value), &node.at)
            }
            Kind::Choose(parts) => {
                let [test, then, otherwise] = &**parts;
                if self.bool(test)? { self.node(then) } else { self.node(otherwise) }
            }
            Kind::Binary(operator, a, b) => {
                let (a, b) = (self.node(a)?, self.node(b)?);
                placed(binary(*operator, &a, &b, self.meter), &node.at)
            }
            Kind::Call(function, arguments) => {
                let arguments = arguments.iter().map(|argument| self.node(argument));
                let arguments = arguments.collect::<Result<Vec<_>, _>>()?;
                placed((function.run)(&arguments, self.meter), &node.at)
            }
            Kind::Matches(operand, regex) => match self.node(operand)? {
                Value::Text(text) => {
                    placed(self.meter.text(text.as_str().len()), &node.at)?;
                    Ok(Value::Bool(regex.is_match(text.as_str())))
                }
                other => {
                    let message = format!("`matches` is for text, not for {}", a(other.kind()));
                    Err(Flaw::new(node.at.clone(), message))
                }
            },
            Kind::List(items) => {
                placed(self.meter.items(items.len()), &node.at)?;
                let items = items.iter().map(|item| self.node(item));
                items.collect::<Result<Vec<_>, _>>().map(Value::list)
            }
            Kind::Map(entries) => self.map(entries, &node.at),
            Kind::Fold(fold, range, test) => self.fold(*fold, range, test),
            Kind::Collect(range, test, item) => self.collect(range, test.as_deref(), item),
        }
    }

    fn name(&mut self, name: usize, node: &Node) -> Result<Value<'a>, Flaw> {
        match &self.environment.slots[name] {
            Slot::Value(value) => Ok(value.clone()),
            Slot::Lazy(program, once) => {
                if once.get().is_none() {
                    let value = self.environment.run(program, self.meter, self.depth);
                    // A flaw inside a variable is shown where the variable is used.
                    let value = value.map_err(|flaw| Flaw { at: node.at.clone(), ..flaw });
                    // It cannot be set in between: a variable knows only those before it.
                    let _ = once.set(value);
                }
                let value = once.get().cloned();
                value.unwrap_or_else(|| Err(Flaw::new(node.at.clone(), "it has no value")))
            }
        }
    }

    fn bool(&mut self, node: &'a Node) -> Result<bool, Flaw> {
        match self.node(node)? {
            Value::Bool(value) => Ok(value),
            other => {
                let message = format!("expected true or false, found {}", a(other.kind()));
                Err(Flaw::new(node.at.clone(), message))
            }
        }
    }

    /// `&&` and `||`: one side that decides by itself makes an error of the other one harmless.
    fn logic(&mut self, a: &'a Node, b: &'a Node, decides: bool) -> Result<Value<'a>, Flaw> {
        let first = self.bool(a);
        match &first {
            Ok(value) if *value == decides => return Ok(Value::Bool(decides)),
            Err(flaw) if flaw.exhausted => return first.map(Value::Bool),
            _ => {}
        }
        let second = self.bool(b)?;
        if second == decides {
            return Ok(Value::Bool(decides));
        }
        first?;
        Ok(Value::Bool(!decides))
    }

    fn map(&mut self, entries: &'a [(Node, Node)], at: &Range<usize>) -> Result<Value<'a>, Flaw> {
        placed(self.meter.items(entries.len().saturating_mul(2)), at)?;
        let mut map = BTreeMap::new();
        for (key_node, value) in entries {
            let key = self.node(key_node)?;
            let Some(key) = Key::of(&key) else {
                let message = format!("{} cannot be a key", a(key.kind()));
                return Err(Flaw::new(key_node.at.clone(), message));
            };
            if map.contains_key(&key) {
                return Err(Flaw::new(key_node.at.clone(), "the key stands there twice"));
            }
            let value = self.node(value)?;
            map.insert(key, value);
        }
        Ok(Value::Map(Map::Made(Arc::new(map))))
    }

    /// The items of a list, or the keys of a mapping.
    fn range(&mut self, node: &'a Node) -> Result<List<'a>, Flaw> {
        match self.node(node)? {
            Value::List(list) => Ok(list),
            Value::Map(map) => {
                placed(self.meter.items(map.len()), &node.at)?;
                Ok(List::Made(map.keys().into()))
            }
            other => {
                let message = format!("expected a list or a map, found {}", a(other.kind()));
                Err(Flaw::new(node.at.clone(), message))
            }
        }
    }

    fn with<T>(&mut self, item: Value<'a>, run: impl FnOnce(&mut Self) -> T) -> T {
        self.locals.push(item);
        let result = run(self);
        self.locals.pop();
        result
    }

    fn fold(&mut self, fold: Fold, range: &'a Node, test: &'a Node) -> Result<Value<'a>, Flaw> {
        let range = self.range(range)?;
        let (mut hits, mut pending) = (0_usize, None);
        for item in range.iter() {
            match (fold, self.with(item, |run| run.bool(test))) {
                (Fold::All, Ok(false)) => return Ok(Value::Bool(false)),
                (Fold::Exists, Ok(true)) => return Ok(Value::Bool(true)),
                (_, Ok(hit)) => hits += usize::from(hit),
                (Fold::ExistsOne, Err(flaw)) => return Err(flaw),
                (_, Err(flaw)) if flaw.exhausted => return Err(flaw),
                // A later item may still decide.
                (_, Err(flaw)) => pending = Some(flaw),
            }
        }
        match (pending, fold) {
            (Some(flaw), _) => Err(flaw),
            (None, Fold::All) => Ok(Value::Bool(true)),
            (None, Fold::Exists) => Ok(Value::Bool(false)),
            (None, Fold::ExistsOne) => Ok(Value::Bool(hits == 1)),
        }
    }

    fn collect(
        &mut self,
        range: &'a Node,
        test: Option<&'a Node>,
        node: &'a Node,
    ) -> Result<Value<'a>, Flaw> {
        let mut items = Vec::new();
        for item in self.range(range)?.iter() {
            let made = self.with(item, |run| {
                if let Some(test) = test
                    && !run.bool(test)?
                {
                    return Ok(None);
                }
                placed(run.meter.items(1), &node.at)?;
                run.node(node).map(Some)
            })?;
            items.extend(made);
        }
        Ok(Value::list(items))
    }
}

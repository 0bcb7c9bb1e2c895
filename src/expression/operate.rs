//! What the operators do with values.

use std::cmp::Ordering;

use super::evaluate::{Failure, Meter};
use super::lower::Operator;
use super::value::{Key, Map, Text, Value};
use crate::yaml::fields::nearest;

/// A kind of value with its article.
pub(super) fn a(kind: &str) -> String {
    match kind {
        "null" => kind.to_owned(),
        "int" => format!("an {kind}"),
        _ => format!("a {kind}"),
    }
}

pub(super) fn get_field<'a>(operand: &Value<'a>, field: &str) -> Result<Value<'a>, Failure> {
    let Value::Map(map) = operand else {
        return Err(format!("{} has no field `{field}`", a(operand.kind())).into());
    };
    map.field(field).ok_or_else(|| missing(map, field))
}

fn missing(map: &Map<'_>, field: &str) -> Failure {
    let names = map.names();
    let near = nearest(field, names.iter().take(50).map(String::as_str));
    let near = near.map(|near| format!("; is `{near}` meant?")).unwrap_or_default();
    format!("there is no key `{}`{near}", field.escape_debug()).into()
}

pub(super) fn get_index<'a>(operand: &Value<'a>, index: &Value<'a>) -> Result<Value<'a>, Failure> {
    match operand {
        Value::List(list) => {
            let Some(Key::Number(at)) = Key::of(index) else {
                return Err(format!("{} is no place in a list", a(index.kind())).into());
            };
            let item = usize::try_from(at).ok().and_then(|at| list.get(at));
            item.ok_or_else(|| {
                format!("the list has {} items, there is none at {index}", list.len()).into()
            })
        }
        Value::Map(map) => {
            let Some(key) = Key::of(index) else {
                return Err(format!("{} cannot be a key", a(index.kind())).into());
            };
            map.get(&key).ok_or_else(|| missing(map, &index.to_string()))
        }
        other => Err(format!("{} has no items", a(other.kind())).into()),
    }
}

pub(super) fn negate<'a>(value: &Value<'a>) -> Result<Value<'a>, Failure> {
    match value {
        Value::Int(value) => value.checked_neg().map(Value::Int).ok_or_else(|| TOO_LARGE.into()),
        Value::Double(value) => Ok(Value::Double(-value)),
        other => Err(format!("{} has no negative", a(other.kind())).into()),
    }
}

const TOO_LARGE: &str = "the number is too large";

pub(super) fn binary<'a>(
    operator: Operator,
    a: &Value<'a>,
    b: &Value<'a>,
    meter: &mut Meter,
) -> Result<Value<'a>, Failure> {
    let order = |accepts: fn(Ordering) -> bool, symbol| match a.order(b) {
        Some(order) => Ok(Value::Bool(accepts(order))),
        // Numbers that are none have no order, and no comparison with them is true.
        None if both(a, b, |value| {
            matches!(value, Value::Int(_) | Value::Uint(_) | Value::Double(_))
        }) =>
        {
            Ok(Value::Bool(false))
        }
        None => Err(unfit(symbol, a, b)),
    };
    match operator {
        Operator::Equal => meter.equal(a, b).map(Value::Bool),
        Operator::NotEqual => meter.equal(a, b).map(|equal| Value::Bool(!equal)),
        Operator::Less => order(Ordering::is_lt, "<"),
        Operator::LessEqual => order(Ordering::is_le, "<="),
        Operator::Greater => order(Ordering::is_gt, ">"),
        Operator::GreaterEqual => order(Ordering::is_ge, ">="),
        Operator::In => contains(b, a, meter),
        Operator::Add => add(a, b, meter),
        _ => arithmetic(operator, a, b),
    }
}

fn both<'a>(a: &Value<'a>, b: &Value<'a>, test: impl Fn(&Value<'a>) -> bool) -> bool {
    test(a) && test(b)
}

fn unfit(symbol: &str, left: &Value<'_>, right: &Value<'_>) -> Failure {
    format!("`{symbol}` is not for {} and {}", a(left.kind()), a(right.kind())).into()
}

fn contains<'a>(
    container: &Value<'a>,
    item: &Value<'a>,
    meter: &mut Meter,
) -> Result<Value<'a>, Failure> {
    match container {
        Value::List(list) => {
            for one in list.iter() {
                if meter.equal(&one, item)? {
                    return Ok(Value::Bool(true));
                }
            }
            Ok(Value::Bool(false))
        }
        Value::Map(map) => {
            Ok(Value::Bool(Key::of(item).is_some_and(|key| map.get(&key).is_some())))
        }
        other => {
            Err(format!("`in` looks into a list or a map, not into {}", a(other.kind())).into())
        }
    }
}

fn add<'a>(a: &Value<'a>, b: &Value<'a>, meter: &mut Meter) -> Result<Value<'a>, Failure> {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => {
            let (a, b) = (a.as_str(), b.as_str());
            meter.text(a.len().saturating_add(b.len()))?;
            Ok(Value::Text(Text::Made([a, b].concat().into())))
        }
        (Value::List(a), Value::List(b)) => {
            meter.items(a.len().saturating_add(b.len()))?;
            Ok(Value::list(a.iter().chain(b.iter()).collect()))
        }
        (a, b) => arithmetic(Operator::Add, a, b),
    }
}

fn arithmetic<'a>(operator: Operator, a: &Value<'a>, b: &Value<'a>) -> Result<Value<'a>, Failure> {
    let symbol = match operator {
        Operator::Add => "+",
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        _ => "%",
    };
    let zero = matches!(b, Value::Int(0) | Value::Uint(0));
    if zero && matches!(operator, Operator::Divide | Operator::Modulo) {
        return Err("a number is divided by zero".into());
    }
    let value = match (a, b) {
        (Value::Int(a), Value::Int(b)) => match operator {
            Operator::Add => a.checked_add(*b),
            Operator::Subtract => a.checked_sub(*b),
            Operator::Multiply => a.checked_mul(*b),
            Operator::Divide => a.checked_div(*b),
            _ => a.checked_rem(*b),
        }
        .map(Value::Int),
        (Value::Uint(a), Value::Uint(b)) => match operator {
            Operator::Add => a.checked_add(*b),
            Operator::Subtract => a.checked_sub(*b),
            Operator::Multiply => a.checked_mul(*b),
            Operator::Divide => a.checked_div(*b),
            _ => a.checked_rem(*b),
        }
        .map(Value::Uint),
        (Value::Double(a), Value::Double(b)) => match operator {
            Operator::Add => Some(a + b),
            Operator::Subtract => Some(a - b),
            Operator::Multiply => Some(a * b),
            Operator::Divide => Some(a / b),
            _ => return Err("`%` is for whole numbers".into()),
        }
        .map(Value::Double),
        (a, b) => return Err(unfit(symbol, a, b)),
    };
    value.ok_or_else(|| TOO_LARGE.into())
}

//! The functions of CEL's standard library, and those of Kubernetes' libraries that the language
//! has use for.
//!
//! Source: <https://github.com/google/cel-spec/blob/master/doc/langdef.md>, "List of Standard
//! Definitions"; <https://kubernetes.io/docs/reference/using-api/cel/>, "Kubernetes list library",
//! "Kubernetes IP address library", "Kubernetes CIDR library", "Kubernetes regex library", and the
//! extended strings library that it names.

use std::fmt;

use std::cmp::Ordering;
use std::net::IpAddr;

use ipnet::IpNet;

use super::evaluate::{Failure, Meter};
use super::lower::{regex, similar};
use super::operate::a;
use super::value::{List, Value};

/// A function.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Whether it is written behind its first argument: `text.contains("x")`.
    pub member: bool,
    /// How many arguments it has, the one in front of it included.
    pub arguments: usize,
    /// How it is called.
    pub signature: &'static str,
    /// What it gives.
    pub summary: &'static str,
    pub(super) run: for<'a> fn(&[Value<'a>], &mut Meter) -> Outcome<'a>,
}

type Outcome<'a> = Result<Value<'a>, Failure>;

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.signature)
    }
}

macro_rules! functions {
    ($( $name:literal, $style:ident, $arguments:literal, $signature:literal, $summary:literal, $run:expr; )+) => {
        /// The functions, as they are listed in the docs.
        pub static FUNCTIONS: &[Function] = &[$( Function {
            name: $name,
            member: functions!(@ $style),
            arguments: $arguments,
            signature: $signature,
            summary: $summary,
            run: $run,
        } ),+];
    };
    (@ member) => { true };
    (@ global) => { false };
}

functions! {
    "size", member, 1, "x.size()", "characters of a text, items of a list, keys of a map", size;
    "size", global, 1, "size(x)", "the same", size;
    "contains", member, 2, "text.contains(part)", "whether a text has that part", |args, meter| test(args, meter, |text, part| text.contains(part));
    "startsWith", member, 2, "text.startsWith(part)", "whether a text begins so", |args, meter| test(args, meter, |text, part| text.starts_with(part));
    "endsWith", member, 2, "text.endsWith(part)", "whether a text ends so", |args, meter| test(args, meter, |text, part| text.ends_with(part));
    "matches", member, 2, "text.matches(regex)", "whether an RE2 regular expression matches somewhere in a text; `^` and `$` anchor it", matches;
    "lowerAscii", member, 1, "text.lowerAscii()", "the text in lower case", |args, meter| map(args, meter, str::to_ascii_lowercase);
    "upperAscii", member, 1, "text.upperAscii()", "the text in upper case", |args, meter| map(args, meter, str::to_ascii_uppercase);
    "trim", member, 1, "text.trim()", "the text without white space at its ends", |args, meter| map(args, meter, |text| text.trim().to_owned());
    "split", member, 2, "text.split(separator)", "the parts of a text", split;
    "join", member, 1, "list.join()", "the texts of a list as one", join;
    "join", member, 2, "list.join(separator)", "the texts of a list as one, with a separator", join;
    "replace", member, 3, "text.replace(old, new)", "the text with every `old` replaced", replace;
    "substring", member, 2, "text.substring(from)", "the text from a character on, counted from 0", substring;
    "substring", member, 3, "text.substring(from, to)", "the text up to a character", substring;
    "indexOf", member, 2, "text.indexOf(part)", "the place of a part, -1 where it is not", index_of;
    "min", member, 1, "list.min()", "the least item", |args, meter| extreme(args, meter, Ordering::Less);
    "max", member, 1, "list.max()", "the greatest item", |args, meter| extreme(args, meter, Ordering::Greater);
    "sum", member, 1, "list.sum()", "the sum of whole numbers", sum;
    "distinct", member, 1, "list.distinct()", "the items without repetitions", distinct;
    "int", global, 1, "int(x)", "a number or a text as a whole number", int;
    "double", global, 1, "double(x)", "a number or a text as a number with a fraction", double;
    "string", global, 1, "string(x)", "a value as text", string;
    "dyn", global, 1, "dyn(x)", "the value itself", |args, _| Ok(args[0].clone());
    "isIP", global, 1, "isIP(text)", "whether a text is an address", |args, _| Ok(Value::Bool(text(&args[0])?.parse::<IpAddr>().is_ok()));
    "isCIDR", global, 1, "isCIDR(text)", "whether a text is a range of addresses", |args, _| Ok(Value::Bool(text(&args[0])?.parse::<IpNet>().is_ok()));
    "cidr", global, 1, "cidr(text)", "a range of addresses", |args, _| range(&args[0]).map(Value::Cidr);
    "containsIP", member, 2, "cidr.containsIP(text)", "whether an address lies in a range", contains_ip;
    "containsCIDR", member, 2, "cidr.containsCIDR(text)", "whether a range lies in another one", contains_cidr;
    "prefixLength", member, 1, "cidr.prefixLength()", "the length of a range's prefix", |args, _| Ok(Value::Int(range(&args[0])?.prefix_len().into()));
}

/// The function that is meant.
pub(super) fn find(name: &str, member: bool, count: usize) -> Result<&'static Function, String> {
    let same = |function: &&Function| function.name == name;
    let fits = |function: &&Function| function.member == member && function.arguments == count;
    if let Some(function) = FUNCTIONS.iter().filter(same).find(fits) {
        return Ok(function);
    }
    let known: Vec<_> =
        FUNCTIONS.iter().filter(same).map(|function| format!("`{}`", function.signature)).collect();
    let name = name.escape_debug();
    if !known.is_empty() {
        return Err(format!("`{name}` is called as {}", known.join(" or ")));
    }
    let near = similar(&name.to_string()).map(|near| format!("; is `{near}` meant?"));
    Err(format!("there is no function `{name}`{}", near.unwrap_or_default()))
}

fn text<'v>(value: &'v Value<'_>) -> Result<&'v str, Failure> {
    value.as_str().ok_or_else(|| format!("expected text, found {}", a(value.kind())).into())
}

fn list<'v, 'a>(value: &'v Value<'a>) -> Result<&'v List<'a>, Failure> {
    match value {
        Value::List(list) => Ok(list),
        other => Err(format!("expected a list, found {}", a(other.kind())).into()),
    }
}

fn place(value: &Value<'_>) -> Result<usize, Failure> {
    match value {
        Value::Int(at) if *at >= 0 => usize::try_from(*at).map_err(|_| "it is too large".into()),
        other => Err(format!("`{other}` is no place in a text").into()),
    }
}

fn count<'a>(number: usize) -> Outcome<'a> {
    i64::try_from(number).map(Value::Int).map_err(|_| "the number is too large".into())
}

fn size<'a>(args: &[Value<'a>], meter: &mut Meter) -> Outcome<'a> {
    match &args[0] {
        Value::Text(text) => {
            meter.text(text.as_str().len())?;
            count(text.as_str().chars().count())
        }
        Value::List(list) => count(list.len()),
        Value::Map(map) => count(map.len()),
        other => Err(format!("{} has no size", a(other.kind())).into()),
    }
}

fn test<'a>(
    args: &[Value<'a>],
    meter: &mut Meter,
    test: impl Fn(&str, &str) -> bool,
) -> Outcome<'a> {
    let (whole, part) = (text(&args[0])?, text(&args[1])?);
    meter.text(whole.len().saturating_add(part.len()))?;
    Ok(Value::Bool(test(whole, part)))
}

fn map<'a>(args: &[Value<'a>], meter: &mut Meter, change: impl Fn(&str) -> String) -> Outcome<'a> {
    let text = text(&args[0])?;
    meter.text(text.len())?;
    Ok(Value::text(&change(text)))
}

/// What it costs to compile a regular expression that is not known before, in steps: as long as the
/// largest one takes.
const REGEX: usize = 20_000;

fn matches<'a>(args: &[Value<'a>], meter: &mut Meter) -> Outcome<'a> {
    let (text, pattern) = (text(&args[0])?, text(&args[1])?);
    meter.spend(REGEX)?;
    meter.text(text.len())?;
    Ok(Value::Bool(regex(pattern)?.is_match(text)))
}

fn split<'a>(args: &[Value<'a>], meter: &mut Meter) -> Outcome<'a> {
    let (whole, separator) = (text(&args[0])?, text(&args[1])?);
    meter.text(whole.len())?;
    let parts: Vec<&str> = if separator.is_empty() {
        whole.split("").filter(|part| !part.is_empty()).collect()
    } else {
        whole.split(separator).collect()
    };
    meter.items(parts.len())?;
    Ok(Value::list(parts.into_iter().map(Value::text).collect()))
}

fn join<'a>(args: &[Value<'a>], meter: &mut Meter) -> Outcome<'a> {
    let separator = args.get(1).map(text).transpose()?.unwrap_or_default();
    let mut joined = String::new();
    for (at, item) in list(&args[0])?.iter().enumerate() {
        let item = text(&item)?.to_owned();
        meter.spend(1)?;
        meter.text(item.len().saturating_add(separator.len()))?;
        if at > 0 {
            joined.push_str(separator);
        }
        joined.push_str(&item);
    }
    Ok(Value::text(&joined))
}

fn replace<'a>(args: &[Value<'a>], meter: &mut Meter) -> Outcome<'a> {
    let (whole, old, new) = (text(&args[0])?, text(&args[1])?, text(&args[2])?);
    meter.text(whole.len())?;
    let times = if old.is_empty() { whole.len() + 1 } else { whole.matches(old).count() };
    meter.text(times.saturating_mul(new.len()))?;
    Ok(Value::text(&whole.replace(old, new)))
}

fn substring<'a>(args: &[Value<'a>], meter: &mut Meter) -> Outcome<'a> {
    let whole = text(&args[0])?;
    meter.text(whole.len())?;
    let from = place(&args[1])?;
    let length = whole.chars().count();
    let to = args.get(2).map(place).transpose()?.unwrap_or(length);
    if from > to || to > length {
        return Err(
            format!("the text has {length} characters, not those from {from} to {to}").into()
        );
    }
    Ok(Value::text(&whole.chars().skip(from).take(to - from).collect::<String>()))
}

fn index_of<'a>(args: &[Value<'a>], meter: &mut Meter) -> Outcome<'a> {
    let (whole, part) = (text(&args[0])?, text(&args[1])?);
    meter.text(whole.len().saturating_add(part.len()))?;
    match whole.find(part) {
        Some(at) => count(whole[..at].chars().count()),
        None => Ok(Value::Int(-1)),
    }
}

fn extreme<'a>(args: &[Value<'a>], meter: &mut Meter, wanted: Ordering) -> Outcome<'a> {
    let list = list(&args[0])?;
    let mut best: Option<Value<'a>> = None;
    for item in list.iter() {
        meter.spend(1)?;
        best = match best {
            None => Some(item),
            Some(best) => match item.order(&best) {
                Some(order) if order == wanted => Some(item),
                Some(_) => Some(best),
                None => return Err("the items of the list have no order".into()),
            },
        };
    }
    best.ok_or_else(|| "the list is empty".into())
}

fn sum<'a>(args: &[Value<'a>], meter: &mut Meter) -> Outcome<'a> {
    let mut sum = 0_i64;
    for item in list(&args[0])?.iter() {
        meter.spend(1)?;
        let Value::Int(item) = item else {
            return Err(format!("expected whole numbers, found {}", a(item.kind())).into());
        };
        sum = sum.checked_add(item).ok_or("the sum is too large")?;
    }
    Ok(Value::Int(sum))
}

fn distinct<'a>(args: &[Value<'a>], meter: &mut Meter) -> Outcome<'a> {
    let mut items: Vec<Value<'a>> = Vec::new();
    for item in list(&args[0])?.iter() {
        let mut known = false;
        for other in &items {
            known = known || meter.equal(other, &item)?;
        }
        if !known {
            meter.items(1)?;
            items.push(item);
        }
    }
    Ok(Value::list(items))
}

fn int<'a>(args: &[Value<'a>], _: &mut Meter) -> Outcome<'a> {
    let wrong = || Failure::from(format!("`{}` is not a whole number", args[0]));
    match &args[0] {
        Value::Int(value) => Ok(Value::Int(*value)),
        Value::Uint(value) => i64::try_from(*value).map(Value::Int).map_err(|_| wrong()),
        #[expect(clippy::cast_possible_truncation, reason = "the bounds are those of the type")]
        Value::Double(value) if value.abs() < 9.2e18 => Ok(Value::Int(*value as i64)),
        Value::Text(text) => text.as_str().parse().map(Value::Int).map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

fn double<'a>(args: &[Value<'a>], _: &mut Meter) -> Outcome<'a> {
    let wrong = || Failure::from(format!("`{}` is not a number", args[0]));
    match &args[0] {
        #[expect(clippy::cast_precision_loss, reason = "that is what the function says")]
        Value::Int(value) => Ok(Value::Double(*value as f64)),
        #[expect(clippy::cast_precision_loss, reason = "that is what the function says")]
        Value::Uint(value) => Ok(Value::Double(*value as f64)),
        Value::Double(value) => Ok(Value::Double(*value)),
        Value::Text(text) => text.as_str().parse().map(Value::Double).map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

fn string<'a>(args: &[Value<'a>], meter: &mut Meter) -> Outcome<'a> {
    match &args[0] {
        Value::Text(_) => Ok(args[0].clone()),
        Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::Cidr(_) => {
            meter.items(1)?;
            Ok(Value::text(&args[0].to_string()))
        }
        other => Err(format!("{} has no text", a(other.kind())).into()),
    }
}

fn range(value: &Value<'_>) -> Result<IpNet, Failure> {
    match value {
        Value::Cidr(range) => Ok(*range),
        Value::Text(text) => text
            .as_str()
            .parse()
            .map_err(|_| format!("`{value}` is not a range of addresses").into()),
        other => Err(format!("expected a range of addresses, found {}", a(other.kind())).into()),
    }
}

fn contains_ip<'a>(args: &[Value<'a>], _: &mut Meter) -> Outcome<'a> {
    let address = text(&args[1])?;
    let Ok(address) = address.parse::<IpAddr>() else {
        return Err(format!("`{}` is not an address", address.escape_debug()).into());
    };
    Ok(Value::Bool(range(&args[0])?.contains(&address)))
}

fn contains_cidr<'a>(args: &[Value<'a>], _: &mut Meter) -> Outcome<'a> {
    Ok(Value::Bool(range(&args[0])?.contains(&range(&args[1])?)))
}

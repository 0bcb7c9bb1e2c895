//! The scalars of the language: names, addresses, durations, versions, ports.
//!
//! Each reads one scalar strictly and says what is wrong with any other.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::diagnostic::Diagnostics;
use crate::source::credentials::without_credentials;
use crate::yaml::fields::{Decode, invalid, text};
use crate::yaml::shape::Shape;
use crate::yaml::{Entry, Node, Scalar, Value};

/// Declares a text type with its check.
macro_rules! text_type {
    ($( $(#[doc = $doc:literal])+ $name:ident, $what:literal, $pattern:expr, $check:expr; )+) => { $(
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(pub String);

        impl std::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl Decode for $name {
            fn shape() -> Shape {
                Shape::Text { what: $what, pattern: $pattern }
            }

            fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
                let written = text(node, $what, found)?;
                let check: fn(&str) -> Result<(), String> = $check;
                match check(written) {
                    Ok(()) => Some(Self(written.to_owned())),
                    Err(why) => {
                        let shown = without_credentials(written);
                        let message = format!("`{}` is not {}", shown.escape_debug(), $what);
                        invalid(node.span, message, &why, found);
                        None
                    }
                }
            }
        }
    )+ };
}

text_type! {
    /// A DNS label: what Kubernetes takes as the name of a namespace or a Service.
    /// Source: RFC 1123 and `k8s.io/apimachinery/pkg/util/validation`.
    Label, "a name of lower-case letters, digits and `-`, at most 63 long",
        Some("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"), |name| {
        if is_label(name, 63) {
            Ok(())
        } else {
            Err("use 1 to 63 lower-case letters, digits and `-`, with a letter or digit at both ends".into())
        }
    };
    /// A DNS subdomain: what Kubernetes takes as the name of most objects.
    /// Source: `k8s.io/apimachinery/pkg/util/validation`.
    Subdomain, "a name of lower-case letters, digits, `-` and `.`, at most 253 long",
        Some("^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"), |name| {
        if name.len() <= 253 && name.split('.').all(|part| is_label(part, 63)) {
            Ok(())
        } else {
            Err("use labels of lower-case letters, digits and `-`, joined by `.`".into())
        }
    };
    /// A label key of Kubernetes: an optional DNS prefix and a name of at most 63 characters.
    LabelKey, "a label key", None, |key| label_key(key);
    /// A label value of Kubernetes: at most 63 characters, possibly empty.
    LabelValue, "a label value",
        Some("^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"), |value| {
        if value.is_empty() || is_label_name(value) {
            Ok(())
        } else {
            Err("use at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends".into())
        }
    };
    /// A host name, in lower or upper case.
    HostName, "a host name", None, |name| {
        let lower = name.to_ascii_lowercase();
        let name = lower.strip_suffix('.').unwrap_or(&lower);
        if !name.is_empty() && name.len() <= 253 && name.split('.').all(|part| is_label(part, 63)) {
            Ok(())
        } else {
            Err("use labels of letters, digits and `-`, joined by `.`".into())
        }
    };
    /// A DNS name that a certificate may be for: a host name, or `*.` before one.
    /// Source: RFC 6125, section 6.4.3; RFC 8555, section 7.1.3.
    DnsName, "a DNS name, or `*.` before one", None, |name| {
        let lower = name.to_ascii_lowercase();
        let host = lower.strip_prefix("*.").unwrap_or(&lower);
        let host = host.strip_suffix('.').unwrap_or(host);
        if host.len() <= 253 && host.split('.').all(|part| is_label(part, 63)) {
            Ok(())
        } else {
            Err("write a name such as `api.example.com` or `*.example.com`".into())
        }
    };
    /// A DNS name or a pattern with `*`, as Cilium's `toFQDNs` takes it.
    /// Source: the CRD of CiliumNetworkPolicy, `matchName` and `matchPattern`.
    FqdnPattern, "a DNS name or a pattern with `*`",
        Some("^([-a-zA-Z0-9_*]+[.]?)+$"), |name| {
        let known = |c: char| c.is_ascii_alphanumeric() || "-_*.".contains(c);
        if !name.is_empty() && name.len() <= 255 && name.chars().all(known) && !name.starts_with('.') {
            Ok(())
        } else {
            Err("use a name such as `api.example.com` or a pattern such as `*.example.com`".into())
        }
    };
    /// A pattern of names in which `*` stands for any text.
    Glob, "a name or a pattern with `*`", None, |pattern| {
        let known = |c: char| c.is_ascii_alphanumeric() || "-_*.".contains(c);
        if !pattern.is_empty() && pattern.len() <= 253 && pattern.chars().all(known) {
            Ok(())
        } else {
            Err("use letters, digits, `-`, `.` and `*`".into())
        }
    };
    /// A relative path with `/`, possibly with the wildcards `*`, `**` and `?`.
    RelativePath, "a relative path below the project", None, |path| {
        if crate::system::is_inside(path) && !path.starts_with('~') {
            Ok(())
        } else {
            Err("use a path below the folder of `landbridge.yaml`, with `/` and without `..`".into())
        }
    };
    /// A word of a configuration that has no form of its own; no control characters, not empty.
    Word, "text on one line", None, |word| {
        if !word.is_empty() && word.len() <= 4096 && !word.chars().any(char::is_control) {
            Ok(())
        } else {
            Err("use text on one line".into())
        }
    };
    /// Where Helm charts are: a Helm repository's URL, or `oci://` and a registry's folder.
    ChartRepository, "the URL of a Helm repository, or `oci://` and a registry's folder",
        Some("^(https?|oci)://[^ ]+$"), |url| {
        let known = |c: char| c.is_ascii_graphic() && !"\"'`\\<>{}|^@?#$".contains(c);
        let host = ["https://", "http://", "oci://"].iter().find_map(|scheme| url.strip_prefix(scheme));
        if host.is_some_and(|host| !host.is_empty() && host.chars().all(known)) && url.len() <= 1024 {
            Ok(())
        } else {
            Err("write `https://charts.example.com` or `oci://registry.example.com/charts`; \
                 no user and no password".into())
        }
    };
    /// The URL of something that is reached by HTTPS.
    HttpsUrl, "a URL that begins with `https://`", Some("^https://[^/]"), |url| {
        let graphic = url.bytes().all(|byte| byte.is_ascii_graphic());
        match url.strip_prefix("https://") {
            Some(rest) if graphic && url.len() <= 2048 && !rest.is_empty() && !rest.starts_with('/') => Ok(()),
            _ => Err("write it as `https://example.com/path`".into()),
        }
    };
    /// The id of a Route 53 hosted zone. Source: Route 53's API, `ResourceId`.
    HostedZoneId, "the id of a hosted zone", Some("^[A-Z0-9]{1,32}$"), |id| {
        let known = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        if (1..=32).contains(&id.len()) && id.bytes().all(known) {
            Ok(())
        } else {
            Err("write its capital letters and digits alone, such as `Z0123456789ABCDEFGHIJ`".into())
        }
    };
    /// The ARN of an IAM role, in which `{cluster}` stands for a cluster's name.
    RoleArn, "the ARN of an IAM role", Some("^arn:aws(-cn|-us-gov)?:iam::[0-9]{12}:role/"), |arn| {
        super::role::parts(arn).map(|_| ())
    };
    /// A country as Route 53 takes it: two capital letters, or `*` for the default.
    CountryCode, "a country's two capital letters, or `*`", Some("^([A-Z]{2}|\\*)$"), |code| {
        if code == "*" || code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            Ok(())
        } else {
            Err("use two capital letters such as `DE`, or `*` for everybody else".into())
        }
    };
    /// A subdivision of a country as Route 53 takes it: one to three capital letters or digits.
    SubdivisionCode, "one to three capital letters or digits", Some("^[A-Z0-9]{1,3}$"), |code| {
        let known = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        if (1..=3).contains(&code.len()) && code.bytes().all(known) {
            Ok(())
        } else {
            Err("use the code of a state, such as `CA`".into())
        }
    };
    /// Five fields of cron, or one of its `@` words.
    Schedule, "a cron schedule of five fields", None, |schedule| {
        let known = |c: char| c.is_ascii_alphanumeric() || "*/,-?L#".contains(c);
        let fields: Vec<_> = schedule.split_whitespace().collect();
        let words = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
        if words.contains(&schedule) || fields.len() == 5 && fields.iter().all(|f| f.chars().all(known)) {
            Ok(())
        } else {
            Err("use minute, hour, day, month and weekday, such as `0 0 1 */4 *`".into())
        }
    };
    /// A version as it was written; whether it is exact is decided where it is used.
    VersionText, "a version", None, |version| {
        let known = |c: char| c.is_ascii_graphic() || c == ' ';
        if !version.is_empty() && version.len() <= 128 && version.chars().all(known) {
            Ok(())
        } else {
            Err("use an exact version such as `1.19.6`".into())
        }
    };
}

/// Whether `name` is a DNS label of at most `most` characters.
pub fn is_label(name: &str, most: usize) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=most).contains(&name.len())
        && name.bytes().all(known)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

fn is_label_name(name: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let edge = |c: char| c.is_ascii_alphanumeric();
    (1..=63).contains(&name.len())
        && name.chars().all(known)
        && name.starts_with(edge)
        && name.ends_with(edge)
}

fn label_key(key: &str) -> Result<(), String> {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(p, name)| (Some(p), name));
    let prefix_ok = prefix.is_none_or(|prefix| {
        prefix.len() <= 253 && prefix.split('.').all(|part| is_label(part, 63))
    });
    if prefix_ok && is_label_name(name) {
        Ok(())
    } else {
        Err("use a name of at most 63 characters, with an optional prefix such as `example.com/`; \
             no `k8s:` in front"
            .into())
    }
}

/// A key as a node of its own, so that it can be read like a value.
pub(super) fn key_node(entry: &Entry) -> Node {
    let scalar = Scalar { text: entry.key.clone(), plain: false, tag: None };
    Node { span: entry.key_span, value: Value::Scalar(scalar) }
}

/// An address range without host bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cidr(pub IpNet);

impl Decode for Cidr {
    fn shape() -> Shape {
        Shape::Text {
            what: "a CIDR such as `10.1.0.0/16` or `fd00:1::/48`",
            pattern: Some("^[0-9a-fA-F.:]+/[0-9]{1,3}$"),
        }
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        let written = text(node, "a CIDR", found)?;
        let Ok(network) = written.parse::<IpNet>() else {
            let message = format!("`{}` is not a CIDR", written.escape_debug());
            let help = match written.parse::<IpAddr>() {
                Ok(IpAddr::V4(_)) => format!("write `{written}/32` for one address"),
                Ok(IpAddr::V6(_)) => format!("write `{written}/128` for one address"),
                Err(_) => "write an address and a prefix length, such as `10.1.0.0/16`".to_owned(),
            };
            invalid(node.span, message, &help, found);
            return None;
        };
        if network.trunc() != network {
            let message = format!("`{written}` has host bits: bits that are set behind the prefix");
            let help = format!(
                "write `{}` for the range, or `{}/{}` for the address",
                network.trunc(),
                network.addr(),
                network.max_prefix_len()
            );
            invalid(node.span, message, &help, found);
            return None;
        }
        Some(Self(network))
    }
}

/// One address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ip(pub IpAddr);

impl Decode for Ip {
    fn shape() -> Shape {
        Shape::Text { what: "an IP address", pattern: Some("^[0-9a-fA-F.:]+$") }
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        let written = text(node, "an IP address", found)?;
        if let Ok(address) = written.parse() {
            return Some(Self(address));
        }
        let message = format!("`{}` is not an IP address", written.escape_debug());
        invalid(node.span, message, "", found);
        None
    }
}

/// Addresses from one to another, both included; written as a CIDR or as `first-last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IpRange {
    /// The first address.
    pub first: IpAddr,
    /// The last address, of the same family and not below the first.
    pub last: IpAddr,
}

impl IpRange {
    /// How many addresses there are, as far as that can be counted.
    pub fn size(&self) -> u64 {
        let between = match (self.first, self.last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => u128::from(last.to_bits() - first.to_bits()),
            (IpAddr::V6(first), IpAddr::V6(last)) => last.to_bits() - first.to_bits(),
            _ => return 0,
        };
        u64::try_from(between).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// Whether an address lies inside.
    pub fn contains(&self, address: &IpAddr) -> bool {
        self.first.is_ipv4() == address.is_ipv4() && (self.first..=self.last).contains(address)
    }

    /// The CIDR that has the same addresses, if there is one.
    pub fn cidr(&self) -> Option<IpNet> {
        let most = if self.first.is_ipv4() { 32 } else { 128 };
        let fits = |net: &IpNet| net.network() == self.first && net.broadcast() == self.last;
        (0..=most).find_map(|prefix| IpNet::new(self.first, prefix).ok().filter(fits))
    }
}

impl Decode for IpRange {
    fn shape() -> Shape {
        Shape::Text { what: "a CIDR or `first-last`", pattern: None }
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        let written = text(node, "a CIDR or `first-last`", found)?;
        let Some((first, last)) = written.split_once('-') else {
            let Cidr(network) = Cidr::decode(node, found)?;
            return Some(Self { first: network.network(), last: network.broadcast() });
        };
        match (first.trim().parse::<IpAddr>(), last.trim().parse::<IpAddr>()) {
            (Ok(first), Ok(last)) if first <= last && first.is_ipv4() == last.is_ipv4() => {
                Some(Self { first, last })
            }
            _ => {
                let message = format!("`{}` is not a range of addresses", written.escape_debug());
                invalid(node.span, message, "write `10.0.0.10-10.0.0.20`", found);
                None
            }
        }
    }
}

/// A duration with its unit: `76ms`, `30s`, `5m`, `1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Duration);

impl Decode for Time {
    fn shape() -> Shape {
        Shape::Text {
            what: "a duration such as `76ms`, `30s`, `5m` or `1h`",
            pattern: Some("^[0-9]+(ms|s|m|h|d)$"),
        }
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        let written = match node.text() {
            // A bare number is the commonest mistake: say what is missing, not that it is quoted.
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) && !digits.is_empty() => {
                digits
            }
            _ => text(node, "a duration", found)?,
        };
        let split = written.find(|c: char| !c.is_ascii_digit()).unwrap_or(written.len());
        let (digits, unit) = written.split_at(split);
        let factor = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => 0,
        };
        let millis = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(factor));
        match millis {
            Some(millis) if factor != 0 => Some(Self(Duration::from_millis(millis))),
            _ => {
                let message = format!("`{}` is not a duration", written.escape_debug());
                invalid(
                    node.span,
                    message,
                    "write a number with its unit: `ms`, `s`, `m`, `h` or `d`",
                    found,
                );
                None
            }
        }
    }
}

/// A list that may be written as its only item.
#[derive(Clone, Debug, PartialEq)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Decode> Decode for OneOrMany<T> {
    fn shape() -> Shape {
        Shape::Any(vec![T::shape(), Shape::List(Box::new(T::shape()))])
    }

    fn decode(node: &Node, found: &mut Diagnostics) -> Option<Self> {
        if node.items().is_some() || node.is_null() {
            return Vec::decode(node, found).map(Self);
        }
        Some(Self(vec![T::decode(node, found)?]))
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

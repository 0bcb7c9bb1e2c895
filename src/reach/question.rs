//! Whom a question is about: the words of the command line, and who they mean in a mesh.

mod clusters;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;

use super::engine::Party;
use super::mesh::{Endpoint, EndpointId, Mesh, Standing};
use super::objects;
use super::outside::{self, Outsider};
use super::service::Service;
use crate::policy::label::NAMESPACE_LABELS;
use crate::policy::{Identity, Protocol};
use crate::topology::ClusterId;
use crate::yaml::fields::nearest;

/// The words that Cilium has for what is no pod.
const WORDS: [&str; 9] = [
    "world",
    "world-ipv4",
    "world-ipv6",
    "host",
    "remote-node",
    "kube-apiserver",
    "health",
    "ingress",
    "unmanaged",
];
/// How a side of a question is written.
const FORMS: &str = "write `NAMESPACE/WORKLOAD`, `NAMESPACE/` for all of it, `NAMESPACE/{key=value}` \
                     for a pod that nobody declares, `svc:NAMESPACE/NAME` for a service, each with \
                     `@CLUSTER` where it matters; or an address, a prefix, a DNS name, `world`, \
                     `host`, `remote-node`, `kube-apiserver`";

/// One side of a question, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// As it is written.
    text: String,
    what: What,
    cluster: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// A workload by name, or else a service; without a namespace in any.
    Named(Option<String>, String),
    /// A service.
    Service(String),
    /// Everything in a namespace.
    Namespace(String),
    /// A pod with these labels.
    Labels(String, Vec<(String, String)>),
    /// Everything in the mesh, or in a cluster.
    Everything,
    /// A word of Cilium's.
    Word(String),
    /// Addresses.
    Prefix(IpNet),
    /// A DNS name.
    Name(String),
}

impl fmt::Display for Asked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl FromStr for Asked {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, cluster) = match text.rsplit_once('@') {
            Some((_, "")) => return Err(FORMS.to_owned()),
            Some((name, cluster)) => (name, Some(cluster.to_owned())),
            None => (text, None),
        };
        let what = what(name, cluster.is_some()).ok_or(FORMS)?;
        Ok(Self { text: text.to_owned(), what, cluster })
    }
}

fn what(name: &str, of_cluster: bool) -> Option<What> {
    if let Some(service) = name.strip_prefix("svc:") {
        return service.contains('/').then(|| What::Service(service.to_owned()));
    }
    if matches!(name, "" | "*") {
        return (of_cluster || name == "*").then_some(What::Everything);
    }
    if let Some(net) = prefix(name) {
        return Some(What::Prefix(net));
    }
    if WORDS.contains(&name) {
        return Some(What::Word(name.to_owned()));
    }
    let Some((namespace, pod)) = name.split_once('/') else {
        let dns = name.contains('.') && !of_cluster;
        let dns = dns.then(|| What::Name(name.trim_end_matches('.').to_ascii_lowercase()));
        return dns.or_else(|| Some(What::Named(None, name.to_owned())));
    };
    if namespace.is_empty() {
        return None;
    }
    if pod.is_empty() || pod == "*" {
        return Some(What::Namespace(namespace.to_owned()));
    }
    if let Some(labels) = pod.strip_prefix('{') {
        let pairs = labels.strip_suffix('}')?.split(',').filter(|pair| !pair.trim().is_empty());
        let pair = |pair: &str| {
            let (key, value) = pair.split_once('=')?;
            Some((key.trim().to_owned(), value.trim().to_owned()))
        };
        return Some(What::Labels(namespace.to_owned(), pairs.map(pair).collect::<Option<_>>()?));
    }
    Some(What::Named(Some(namespace.to_owned()), pod.to_owned()))
}

fn prefix(text: &str) -> Option<IpNet> {
    let address = || text.parse::<std::net::IpAddr>().ok().map(IpNet::from);
    text.parse::<IpNet>().ok().map(|net| net.trunc()).or_else(address)
}

/// A port with its protocol: `8080`, `53/UDP`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AskedPort {
    /// The protocol.
    pub protocol: Protocol,
    /// The port; the type for ICMP.
    pub port: u16,
}

impl fmt::Display for AskedPort {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, port } = self;
        if *port == 0 { write!(out, "{protocol}") } else { write!(out, "{protocol}/{port}") }
    }
}

impl FromStr for AskedPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let help = || "write a port such as `8080`, `53/UDP`, `8/ICMP`".to_owned();
        let (port, protocol) = text.split_once('/').unwrap_or((text, "TCP"));
        let port: u16 = port.parse().map_err(|_| help())?;
        let protocol = match &*protocol.to_ascii_uppercase() {
            "ICMP" => Protocol::ICMP,
            "ICMPV6" => Protocol::ICMPV6,
            name => Protocol::named(name).ok_or_else(help)?,
        };
        if protocol.has_ports() && port == 0 { Err(help()) } else { Ok(Self { protocol, port }) }
    }
}

/// Who is meant by one side of a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meant {
    /// Pods of the mesh, sorted.
    pub endpoints: Vec<EndpointId>,
    /// Those outside.
    pub outside: Vec<Outsider>,
    /// The services that were named, for the clients of some clusters; indices.
    pub services: Vec<usize>,
}

impl Meant {
    /// Everyone with a name.
    pub fn parties<'a>(&'a self, mesh: &'a Mesh) -> impl Iterator<Item = (String, Party<'a>)> + 'a {
        let pods = self.endpoints.iter().map(|id| (mesh.describe(*id), Party::Endpoint(*id)));
        let outside =
            self.outside.iter().map(|one| (one.name.clone(), Party::Outside(&one.identity)));
        pods.chain(outside)
    }
}

impl Asked {
    /// Who is meant. A pod that nobody declares is added to the mesh.
    ///
    /// # Errors
    /// What is not there, as a phrase.
    pub fn meant(&self, mesh: &mut Mesh, services: &[Service]) -> Result<Meant, String> {
        let cluster = self.cluster(mesh)?;
        let mut meant = Meant::default();
        let here = |endpoint: &Endpoint| cluster.is_none_or(|id| id == endpoint.cluster);
        let select = |mesh: &Mesh, wanted: &dyn Fn(&Endpoint) -> bool| -> Vec<EndpointId> {
            let all = mesh.endpoints().filter(|(_, one)| here(one) && wanted(one));
            all.map(|(id, _)| id).collect()
        };
        let present = |one: &Endpoint| one.standing != Standing::Possible;
        match &self.what {
            What::Everything => meant.endpoints = select(mesh, &present),
            What::Namespace(name) => {
                let inside = |one: &Endpoint| one.identity.namespace() == Some(name);
                meant.endpoints = select(mesh, &|one| present(one) && inside(one));
            }
            What::Named(namespace, name) => {
                meant.endpoints = select(mesh, &|one| is_named(one, namespace.as_deref(), name));
                if meant.endpoints.is_empty()
                    && let Some(namespace) = namespace
                {
                    let name = format!("{namespace}/{name}");
                    meant.services = services_named(services, &name, cluster);
                }
            }
            What::Service(name) => meant.services = services_named(services, name, cluster),
            What::Labels(namespace, labels) => {
                let clusters: Vec<ClusterId> = mesh.clusters().map(|(id, _)| id).collect();
                for id in clusters.into_iter().filter(|id| cluster.is_none_or(|known| known == *id))
                {
                    meant.endpoints.push(add(mesh, id, namespace, labels));
                }
            }
            What::Word(word) => meant
                .outside
                .push(Outsider { name: word.clone(), identity: Identity::reserved(word) }),
            What::Prefix(net) => meant.outside = addresses(mesh, *net),
            What::Name(name) => meant.outside.push(Outsider {
                name: name.clone(),
                identity: Identity { names: BTreeSet::from([name.clone()]), ..Identity::world() },
            }),
        }
        if meant == Meant::default() {
            return Err(self.missing(mesh));
        }
        Ok(meant)
    }

    /// Whether a service is named as such.
    pub fn is_service(&self) -> bool {
        matches!(self.what, What::Service(_))
    }

    fn cluster(&self, mesh: &Mesh) -> Result<Option<ClusterId>, String> {
        let Some(name) = &self.cluster else { return Ok(None) };
        if let Some((id, _)) = mesh.clusters().find(|(_, member)| member.name == *name) {
            return Ok(Some(id));
        }
        let names: Vec<_> =
            mesh.clusters.iter().take(5).map(|known| format!("`{}`", known.name)).collect();
        Err(format!("there is no cluster `{name}`: there is {}", names.join(", ")))
    }

    /// Says what is not there, with the names that are like it.
    fn missing(&self, mesh: &Mesh) -> String {
        let last = match &self.what {
            What::Named(_, name) => name.as_str(),
            What::Namespace(name) => name,
            What::Service(name) => name.rsplit('/').next().unwrap_or_default(),
            _ => return format!("there is no `{self}`"),
        };
        let present = mesh.endpoints().filter(|(_, one)| one.standing != Standing::Possible);
        let names: Vec<_> = present.map(|(id, one)| (one.name.as_str(), id)).collect();
        let parts = names.iter().flat_map(|(name, _)| name.split('/'));
        let like = nearest(last, parts).and_then(|like| {
            names.iter().find(|(name, _)| name.split('/').any(|part| part == like))
        });
        let message = format!("there is no workload and no service `{self}`");
        match like {
            Some((_, id)) => format!("{message}: there is `{}`", mesh.describe(*id)),
            None => message,
        }
    }
}

fn is_named(one: &Endpoint, namespace: Option<&str>, name: &str) -> bool {
    let known = one.name.split_once('/');
    known.is_some_and(|(of, known)| known == name && namespace.is_none_or(|wanted| wanted == of))
}

fn services_named(services: &[Service], name: &str, cluster: Option<ClusterId>) -> Vec<usize> {
    let fits = |service: &Service| {
        service.name == name && cluster.is_none_or(|cluster| cluster == service.cluster)
    };
    let all = services.iter().enumerate().filter(|(_, service)| fits(service));
    all.map(|(at, _)| at).collect()
}

/// Adds a pod with these labels, whose namespace has the labels that others in it show.
fn add(mesh: &mut Mesh, id: ClusterId, namespace: &str, labels: &[(String, String)]) -> EndpointId {
    let beside = mesh
        .endpoints
        .iter()
        .find(|one| one.cluster == id && one.identity.namespace() == Some(namespace));
    let beside = beside.into_iter().flat_map(|one| one.identity.labels.iter());
    let of_namespace: Vec<(String, String)> = beside
        .filter_map(|label| {
            let key = label.key.strip_prefix(NAMESPACE_LABELS)?.strip_prefix('.')?;
            Some((key.to_owned(), label.value.to_string()))
        })
        .collect();
    let semantics = &mesh.cluster(id).semantics;
    let identity = objects::identity(semantics, namespace, labels, None, &of_namespace);
    let pairs: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    mesh.endpoints.push(Endpoint {
        cluster: id,
        name: format!("{namespace}/{{{}}}", pairs.join(",")),
        identity,
        standing: Standing::Possible,
        span: None,
        serves: Vec::new(),
    });
    EndpointId(u32::try_from(mesh.endpoints.len() - 1).expect("internal error: 2^32 endpoints"))
}

/// A prefix, and the prefixes in it that policies tell apart from it.
fn addresses(mesh: &Mesh, net: IpNet) -> Vec<Outsider> {
    let outsider = |net: IpNet| Outsider {
        name: net.to_string().trim_end_matches(single(&net)).to_owned(),
        identity: Identity::address(net, false),
    };
    let rules = mesh.clusters.iter().flat_map(|member| &member.policies);
    let rules = rules.flat_map(|written| &written.policy.rules);
    let inside = outside::parties(rules, false).into_iter().filter_map(|one| one.identity.address);
    let inside = inside.filter(|other| *other != net && net.contains(other));
    std::iter::once(net).chain(inside).map(outsider).collect()
}

/// What an address of its own has at the end.
fn single(net: &IpNet) -> &'static str {
    match net {
        IpNet::V4(net) if net.prefix_len() == 32 => "/32",
        IpNet::V6(net) if net.prefix_len() == 128 => "/128",
        IpNet::V4(_) | IpNet::V6(_) => "\0",
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{mesh, policy, workload};
    use super::*;

    fn asked(text: &str) -> Result<What, String> {
        text.parse::<Asked>().map(|asked| asked.what)
    }

    #[test]
    fn every_form_is_told_apart() {
        let named = |namespace: Option<&str>, name: &str| {
            Ok(What::Named(namespace.map(str::to_owned), name.to_owned()))
        };
        assert_eq!(asked("payments/front@euw1"), named(Some("payments"), "front"));
        assert_eq!(asked("front"), named(None, "front"));
        assert_eq!(asked("payments/"), Ok(What::Namespace("payments".to_owned())));
        assert_eq!(asked("@use1"), Ok(What::Everything));
        let labels = [("app", "x"), ("tier", "debug")];
        let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        let expected = What::Labels("payments".to_owned(), labels);
        assert_eq!(asked("payments/{app=x, tier=debug}@use1"), Ok(expected));
        assert_eq!(asked("payments/{}"), Ok(What::Labels("payments".to_owned(), Vec::new())));
        assert_eq!(asked("svc:payments/x"), Ok(What::Service("payments/x".to_owned())));
        assert_eq!(asked("world"), Ok(What::Word("world".to_owned())));
        assert_eq!(asked("10.1.2.3/8"), Ok(What::Prefix("10.0.0.0/8".parse().unwrap())));
        assert_eq!(asked("2001:db8::1"), Ok(What::Prefix("2001:db8::1/128".parse().unwrap())));
        assert_eq!(asked("API.example.com."), Ok(What::Name("api.example.com".to_owned())));
        for text in ["", "@", "payments/{app}", "/x", "svc:x", "payments/x@"] {
            assert!(asked(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_port_has_a_protocol() {
        let port = |text: &str| text.parse::<AskedPort>().map(|port| port.to_string());
        assert_eq!(port("8080").as_deref(), Ok("TCP/8080"));
        assert_eq!(port("53/udp").as_deref(), Ok("UDP/53"));
        assert_eq!(port("8/ICMP").as_deref(), Ok("ICMP/8"));
        for text in ["", "0", "65536", "80/HTTP", "x/TCP"] {
            assert!(port(text).is_err(), "{text}");
        }
    }

    /// `shop/web` and `ops/web` in `euw1`, `shop/web` and `shop/api` in `use1`, and a pod that may
    /// be there.
    fn small() -> Mesh {
        let mut mesh = mesh(&[("euw1", "1.20.2"), ("use1", "1.20.2")]);
        workload(&mut mesh, 0, "shop/web");
        workload(&mut mesh, 0, "ops/web");
        workload(&mut mesh, 1, "shop/web");
        workload(&mut mesh, 1, "shop/api");
        let mut possible = mesh.endpoints[0].clone();
        (possible.name, possible.standing) = ("shop/(any)".to_owned(), Standing::Possible);
        mesh.endpoints.push(possible);
        mesh
    }

    fn service(name: &str, cluster: usize) -> Service {
        let cluster = ClusterId::new(cluster);
        Service { name: name.to_owned(), cluster, ports: Vec::new(), backends: Vec::new() }
    }

    /// Who is meant, services by their place, or what is wrong.
    fn names(mesh: &Mesh, text: &str) -> String {
        let services = [service("shop/db", 0), service("shop/db", 1), service("ops/db", 1)];
        let asked: Asked = text.parse().expect("a side of a question");
        assert_eq!(asked.is_service(), text.starts_with("svc:"));
        let mut mesh = mesh.clone();
        match asked.meant(&mut mesh, &services) {
            Ok(meant) => {
                let parties = meant.parties(&mesh).map(|(name, _)| name);
                let services = meant.services.iter().map(|at| format!("service {at}"));
                parties.chain(services).collect::<Vec<_>>().join(" ")
            }
            Err(message) => message,
        }
    }

    #[test]
    fn whoever_is_there_is_found_by_name() {
        let mesh = small();
        for (text, expected) in [
            ("shop/web", "shop/web@euw1 shop/web@use1"),
            ("shop/web@use1", "shop/web@use1"),
            ("web", "shop/web@euw1 ops/web@euw1 shop/web@use1"),
            ("ops/", "ops/web@euw1"),
            ("shop/", "shop/web@euw1 shop/web@use1 shop/api@use1"),
            ("*@euw1", "shop/web@euw1 ops/web@euw1"),
            ("svc:shop/db", "service 0 service 1"),
            ("svc:shop/db@use1", "service 1"),
            ("shop/db@euw1", "service 0"),
            ("world", "world"),
            ("a.example", "a.example"),
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.0/24", "192.0.2.0/24"),
            ("2001:db8::1", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("shop/{app=new}", "shop/{app=new}@euw1 shop/{app=new}@use1"),
            ("shop/{app=new}@use1", "shop/{app=new}@use1"),
            ("db", "there is no workload and no service `db`"),
            (
                "shop/wev",
                "there is no workload and no service `shop/wev`: there is `shop/web@euw1`",
            ),
            ("opz/", "there is no workload and no service `opz/`: there is `ops/web@euw1`"),
            (
                "svc:shop/ap",
                "there is no workload and no service `svc:shop/ap`: there is `shop/api@use1`",
            ),
            ("web@apn1", "there is no cluster `apn1`: there is `euw1`, `use1`"),
        ] {
            assert_eq!(names(&mesh, text), expected, "{text}");
        }
    }

    #[test]
    fn prefixes_that_policies_tell_apart_are_parties_of_their_own() {
        let mut mesh = small();
        let spec = "{endpointSelector: {}, egress: [{toCIDR: [192.0.2.0/25, 198.51.100.0/24]}]}";
        policy(&mut mesh, 0, "shop/out", spec);
        assert_eq!(names(&mesh, "192.0.2.0/24"), "192.0.2.0/24 192.0.2.0/25");
        assert_eq!(names(&mesh, "192.0.2.0/25"), "192.0.2.0/25");
        assert_eq!(names(&mesh, "203.0.113.0/24"), "203.0.113.0/24");
    }

    #[test]
    fn a_pod_that_nobody_declares_is_of_its_namespace() {
        let mut mesh = small();
        let label = format!("{NAMESPACE_LABELS}.team");
        for (at, team) in ["a", "b", "c", "d"].into_iter().enumerate() {
            let known = crate::policy::Label::new(crate::policy::Source::K8s, &*label, team);
            let identity = mesh.endpoints[at].identity.clone();
            mesh.endpoints[at].identity = identity.label(known);
        }
        let mut team = |text: &str| {
            let asked: Asked = text.parse().expect("a side of a question");
            let meant = asked.meant(&mut mesh, &[]).expect("a pod");
            let identity = &mesh.endpoint(meant.endpoints[0]).identity;
            identity.labels.get(&crate::policy::Key::k8s(&*label)).map(str::to_owned)
        };
        assert_eq!(team("shop/{x=y}@euw1").as_deref(), Some("a"));
        assert_eq!(team("ops/{x=y}@euw1").as_deref(), Some("b"));
        assert_eq!(team("shop/{x=y}@use1").as_deref(), Some("c"));
        assert_eq!(team("ops/{x=y}@use1"), None);
    }

    #[test]
    fn a_name_is_something_outside_that_was_looked_up() {
        let asked: Asked = "A.example".parse().expect("a side of a question");
        let meant = asked.meant(&mut small(), &[]).expect("a name");
        let identity = &meant.outside[0].identity;
        assert!(identity.is_world() && identity.names.contains("a.example"));
    }
}

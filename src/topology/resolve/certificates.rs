//! Certificates for names outside the mesh.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::Topology;
use super::super::certificates::{
    Acme, Authority, CertManager, Certificate, CertificateRequest, Issuer, object_name,
};
use super::super::dns::canonical;
use super::super::id::{ClusterSet, IssuerId, ZoneId};
use super::dns::{secret, text};
use super::{CONTRADICTION, Names, dangling};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{Span, Spanned};
use crate::spec::TopologySpec;
use crate::spec::certificates::{self as written, KeyAlgorithm, RotationPolicy};
use crate::spec::dns::DnsProvider;
use crate::spec::solver::AcmeServer;
use crate::spec::value::DnsName;
use crate::yaml::fields::Decode;
use crate::yaml::{INVALID_VALUE, MISSING_KEY, Node, Scalar, Value};

/// Shortest validity that cert-manager takes, and shortest time before the end.
/// Source: cert-manager's API, `CertificateSpec`.
const SHORTEST: (Duration, Duration) = (Duration::from_hours(1), Duration::from_mins(5));
/// The validity that cert-manager asks for unless it is told otherwise.
const VALIDITY: Duration = Duration::from_hours(90 * 24);
/// Longest `preferredChain`. Source: the CRD of ClusterIssuer.
const LONGEST_CHAIN: usize = 64;

/// Resolves issuers and requests; zones and clusters are known.
pub(super) fn resolve(
    written: &TopologySpec,
    topology: &mut Topology,
    names: &mut Names,
    found: &mut Diagnostics,
) {
    let Some(certificates) = &written.certificates else { return };
    if let Some(said) = &certificates.cert_manager {
        let default = CertManager::default();
        let account = said.service_account.as_ref().map(|name| name.value.0.clone());
        topology.cert_manager = CertManager {
            namespace: said.namespace.as_ref().map_or(default.namespace, |n| n.value.0.clone()),
            service_account: account.unwrap_or(default.service_account),
        };
    }
    let mut issuers: Vec<_> = certificates.issuers.iter().collect();
    issuers.sort_by(|a, b| a.0.value.cmp(&b.0.value));
    names.issuers.extend(certificates.issuers.keys().map(|name| (name.value.clone(), None)));
    for (name, issuer) in issuers {
        let Some(issuer) = one_issuer(name, issuer, topology, names, found) else { continue };
        names.issuers.insert(name.value.clone(), Some(IssuerId::new(topology.issuers.len())));
        topology.issuers.push(issuer);
    }
    one_role_for_cert_manager(topology, found);
    let mut requests: Vec<_> = certificates.requests.iter().collect();
    requests.sort_by(|a, b| a.0.value.cmp(&b.0.value));
    for (name, request) in requests {
        let request = one_request(name, request, topology, names, found);
        topology.requests.extend(request);
    }
    shared_secrets(topology, found);
}

fn clusters(
    written: &[Spanned<String>],
    topology: &Topology,
    names: &Names,
    found: &mut Diagnostics,
) -> ClusterSet {
    match written {
        [] => topology.clusters().map(|(id, _)| id).collect(),
        some => names.cluster_set(some, found),
    }
}

fn one_issuer(
    name: &Spanned<String>,
    issuer: &written::Issuer,
    topology: &Topology,
    names: &Names,
    found: &mut Diagnostics,
) -> Option<Issuer> {
    if !is_name(name) {
        let message = format!("`{}` is no name of an issuer", name.value.escape_debug());
        let finding = Diagnostic::new(&INVALID_VALUE, name.span, message);
        found.push(finding.help("use labels of lower-case letters, digits and `-`, joined by `.`"));
        return None;
    }
    let authorities = [
        ("server", issuer.server.as_ref().map(|server| server.span)),
        ("caSecret", issuer.ca_secret.as_ref().map(|secret| secret.span)),
        ("selfSigned", issuer.self_signed.as_ref().filter(|own| own.value).map(|own| own.span)),
    ];
    let said: Vec<_> =
        authorities.iter().filter_map(|(key, span)| Some((*key, (*span)?))).collect();
    if let [(first, at), (second, span), ..] = said[..] {
        let message = format!("an issuer has either `{first}` or `{second}`");
        let finding = Diagnostic::new(&CONTRADICTION, span, message);
        found.push(finding.related(at, format!("`{first}`")).help("make two issuers of it"));
    }
    let authority = if let Some(server) = &issuer.server {
        Authority::Acme(Box::new(acme(name, issuer, server, topology, names, found)))
    } else if let Some(secret) = &issuer.ca_secret {
        Authority::Ca(secret.value.0.clone())
    } else if said.is_empty() {
        if issuer.broken.is_empty() {
            let message = format!("the issuer `{}` has no `server`", name.value);
            let finding = Diagnostic::new(&MISSING_KEY, name.span, message);
            found.push(finding.help("write `server`, `caSecret`, or `selfSigned: true`"));
        }
        return None;
    } else {
        Authority::SelfSigned
    };
    if issuer.server.is_none() {
        of_acme_alone(issuer, found);
    }
    Some(Issuer {
        name: name.clone(),
        span: issuer.span,
        authority,
        clusters: clusters(&issuer.clusters, topology, names, found),
    })
}

/// Whether Kubernetes takes it as the name of an object.
fn is_name(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(|part| crate::spec::value::is_label(part, 63))
}

/// Reports keys that no issuer but an ACME one reads.
fn of_acme_alone(issuer: &written::Issuer, found: &mut Diagnostics) {
    let keys = [
        ("email", issuer.email.as_ref().map(|email| email.span)),
        ("zones", issuer.zones.first().map(|zone| zone.span)),
        ("accountKeySecret", issuer.account_key_secret.as_ref().map(|secret| secret.span)),
        ("profile", issuer.profile.as_ref().map(|profile| profile.span)),
        ("preferredChain", issuer.preferred_chain.as_ref().map(|chain| chain.span)),
        ("externalAccountBinding", issuer.external_account.as_ref().map(|account| account.span)),
    ];
    for (key, span) in keys {
        let Some(span) = span else { continue };
        let message = format!("`{key}` is of ACME, and this issuer has no `server`");
        found.push(Diagnostic::new(&CONTRADICTION, span, message).help("remove it"));
    }
}

fn acme(
    name: &Spanned<String>,
    issuer: &written::Issuer,
    server: &Spanned<AcmeServer>,
    topology: &Topology,
    names: &Names,
    found: &mut Diagnostics,
) -> Acme {
    let mut zones = Vec::new();
    for zone in &issuer.zones {
        let Some(ids) = names.zones.get(&canonical(&zone.value)) else {
            found.push(dangling("zone", zone, names.zones.keys(), found));
            continue;
        };
        // Challenges are looked for where everybody sees them.
        let public = ids.iter().find(|id| !topology.zone(**id).private);
        let Some(id) = public.or(ids.first()).copied() else { continue };
        if !zones.contains(&id) {
            unsolvable(id, zone.span, topology, found);
            zones.push(id);
        }
    }
    if issuer.zones.is_empty() && !issuer.broken.contains(&"zones") {
        let message = format!("the issuer `{}` has no `zones`", name.value);
        let finding = Diagnostic::new(&MISSING_KEY, name.span, message);
        found.push(finding.help("name the zones of `dns.zones` in which it solves challenges"));
    }
    let chain = text(issuer.preferred_chain.as_ref());
    if let Some(long) = chain.as_ref().filter(|chain| chain.len() > LONGEST_CHAIN) {
        let message = format!("the name of a chain has at most {LONGEST_CHAIN} characters");
        found.push(Diagnostic::new(&INVALID_VALUE, long.span, message));
    }
    let key = issuer.account_key_secret.clone().map(|secret| secret.map(|secret| secret.0));
    Acme {
        server: server.clone(),
        email: issuer.email.as_ref().map(|email| email.value.0.clone()),
        zones,
        account_key: key.unwrap_or_else(|| name.clone().map(|name| format!("{name}-account-key"))),
        profile: text(issuer.profile.as_ref()),
        preferred_chain: chain.map(|chain| chain.value),
        external_account: issuer
            .external_account
            .as_ref()
            .map(|account| (account.key_id.value.0.clone(), secret(&account.key_secret))),
    }
}

/// Reports a zone that says too little to solve challenges in.
fn unsolvable(id: ZoneId, used: Span, topology: &Topology, found: &mut Diagnostics) {
    let zone = topology.zone(id);
    let (key, help) = match zone.provider {
        DnsProvider::Cloudflare if zone.token_secret.is_none() => {
            ("tokenSecret", "name the Secret with a token of Cloudflare")
        }
        DnsProvider::Other if zone.solver.is_none() => {
            ("solver", "write the solver as it stands below `dns01` of a ClusterIssuer")
        }
        DnsProvider::Cloudflare | DnsProvider::Other | DnsProvider::Route53 => return,
    };
    let message = format!("the zone `{}` has no `{key}`", zone.name.value);
    let finding = Diagnostic::new(&MISSING_KEY, zone.name.span, message);
    found.push(finding.related(used, "challenges are solved in it here").help(help));
}

/// Reports two roles for the one ServiceAccount of cert-manager itself.
fn one_role_for_cert_manager(topology: &Topology, found: &mut Diagnostics) {
    let irsa = written_irsa(topology);
    let Some((first, role)) = irsa.first() else { return };
    for (zone, other) in &irsa[1..] {
        if other.value != role.value {
            let message = "cert-manager's own ServiceAccount has one role";
            let finding = Diagnostic::new(&CONTRADICTION, other.span, message);
            let (first, zone) = (&topology.zone(*first).name, &topology.zone(*zone).name);
            found.push(
                finding
                    .related(role.span, format!("another one for `{}`", first.value))
                    .help(format!("use `credentials: service-account` for `{}`", zone.value)),
            );
        }
    }
}

type RoleOf<'a> = (ZoneId, &'a Spanned<crate::spec::value::RoleArn>);

/// The zones that cert-manager changes with the role of its own ServiceAccount.
fn written_irsa(topology: &Topology) -> Vec<RoleOf<'_>> {
    let used = topology.issuers.iter().filter_map(Issuer::acme).flat_map(|acme| &acme.zones);
    let mut used: Vec<_> = used.copied().collect();
    used.sort_unstable();
    used.dedup();
    let irsa = used.into_iter().filter_map(|id| {
        let zone = topology.zone(id);
        let said = zone.credentials.as_ref()?.value;
        (said == crate::spec::dns::Credentials::Irsa).then_some((id, zone.role.as_ref()?))
    });
    irsa.collect()
}

fn one_request(
    name: &Spanned<String>,
    request: &written::CertificateRequest,
    topology: &Topology,
    names: &Names,
    found: &mut Diagnostics,
) -> Option<CertificateRequest> {
    // The key is a name like those of `names`.
    let scalar = Scalar { text: name.value.as_str().into(), plain: false, tag: None };
    let key = DnsName::decode(&Node { span: name.span, value: Value::Scalar(scalar) }, found);
    let known = names.issuers.get(&request.issuer.value).copied().unwrap_or_else(|| {
        found.push(dangling("issuer", &request.issuer, names.issuers.keys(), found));
        None
    });
    let (key, id) = (Spanned::new(canonical(&key?), name.span), known?);
    let issuer = topology.issuer(id);
    let mut asking = issuer.clusters.clone();
    if !request.clusters.is_empty() {
        asking = names.cluster_set(&request.clusters, found);
        for (cluster, written) in request.clusters.iter().filter_map(|written| {
            names.clusters.get(&written.value).copied().flatten().map(|id| (id, written))
        }) {
            if !issuer.clusters.contains(cluster) {
                let (cluster, name) = (&written.value, &issuer.name);
                let message = format!("the cluster `{cluster}` has no issuer `{}`", name.value);
                let finding = Diagnostic::new(&CONTRADICTION, written.span, message);
                let help = "add the cluster to the issuer's `clusters`";
                found.push(finding.related(name.span, "the issuer").help(help));
            }
        }
    }
    let further = request.names.iter().map(|n| Spanned::new(canonical(&n.value), n.span));
    let mut all: Vec<_> = std::iter::once(key.clone()).chain(further).collect();
    all.sort_by(|a, b| a.value.cmp(&b.value).then(a.span.cmp(&b.span)));
    all.dedup_by(|again, first| again.value == first.value);
    let certificate = certificate(&key, request, found);
    Some(CertificateRequest {
        name: key,
        span: request.span,
        issuer: id,
        clusters: asking,
        names: all,
        certificate,
    })
}

fn certificate(
    name: &Spanned<String>,
    request: &written::CertificateRequest,
    found: &mut Diagnostics,
) -> Option<Certificate> {
    let Some(namespace) = &request.namespace else {
        if !request.broken.contains(&"namespace") {
            of_certificate_alone(request, found);
        }
        return None;
    };
    let key = request.private_key.as_ref();
    let plain = object_name(name).replace('.', "-");
    let secret = request.secret_name.clone().map(|secret| secret.map(|secret| secret.0));
    let duration = request.duration.as_ref().map(|time| Spanned::new(time.value.0, time.span));
    let renew = request.renew_before.as_ref().map(|time| Spanned::new(time.value.0, time.span));
    times(duration.as_ref(), renew.as_ref(), found);
    let algorithm = key.and_then(|key| key.algorithm.as_ref()).map(|said| said.value);
    let size = key.and_then(|key| key.size.as_ref()).map(|size| size.clone().map(|size| size.0));
    if let Some(size) = &size {
        key_size(algorithm.unwrap_or(KeyAlgorithm::Rsa), size, found);
    }
    let rotation = key.and_then(|key| key.rotation_policy.as_ref());
    Some(Certificate {
        namespace: namespace.value.0.clone(),
        secret_name: secret.unwrap_or_else(|| Spanned::new(format!("{plain}-tls"), name.span)),
        duration: duration.map(|time| time.value),
        renew_before: renew.map(|time| time.value),
        algorithm,
        size: size.map(|size| size.value),
        rotation: rotation.map_or(RotationPolicy::Always, |policy| policy.value),
    })
}

/// Reports what is said of a Certificate that is not written.
fn of_certificate_alone(request: &written::CertificateRequest, found: &mut Diagnostics) {
    let keys = [
        ("secretName", request.secret_name.as_ref().map(|name| name.span)),
        ("duration", request.duration.as_ref().map(|time| time.span)),
        ("renewBefore", request.renew_before.as_ref().map(|time| time.span)),
        ("privateKey", request.private_key.as_ref().map(|key| key.span)),
    ];
    for (key, span) in keys {
        let Some(span) = span else { continue };
        let message =
            format!("`{key}` is of a Certificate, and none is written without `namespace`");
        let finding = Diagnostic::new(&CONTRADICTION, span, message);
        found.push(finding.help("say in which `namespace` the Certificate stands, or remove it"));
    }
}

fn times(
    duration: Option<&Spanned<Duration>>,
    renew: Option<&Spanned<Duration>>,
    found: &mut Diagnostics,
) {
    let (valid, before) = SHORTEST;
    for (time, least, what) in [(duration, valid, "1h"), (renew, before, "5m")] {
        if let Some(short) = time.filter(|time| time.value < least) {
            let message = format!("cert-manager takes no less than `{what}` here");
            found.push(Diagnostic::new(&INVALID_VALUE, short.span, message));
        }
    }
    let Some(renew) = renew else { return };
    if renew.value >= duration.map_or(VALIDITY, |time| time.value) {
        let message = "the certificate would be renewed before it is issued";
        let mut finding = Diagnostic::new(&CONTRADICTION, renew.span, message);
        if let Some(duration) = duration {
            finding = finding.related(duration.span, "how long it is valid");
        }
        found.push(finding.help("renew it a shorter time before its end"));
    }
}

/// Source: cert-manager's API, `CertificatePrivateKey.size`.
fn key_size(algorithm: KeyAlgorithm, size: &Spanned<i64>, found: &mut Diagnostics) {
    let sizes: &[i64] = match algorithm {
        KeyAlgorithm::Rsa => &[2048, 4096, 8192],
        KeyAlgorithm::Ecdsa => &[256, 384, 521],
        KeyAlgorithm::Ed25519 => &[],
    };
    if sizes.contains(&size.value) {
        return;
    }
    let (word, size, span) = (algorithm.word(), size.value, size.span);
    let message = format!("a key of {word} has no size of {size} bits");
    let finding = Diagnostic::new(&CONTRADICTION, span, message);
    found.push(match sizes {
        [] => finding.help("remove it: these keys have one size"),
        sizes => {
            let sizes: Vec<_> = sizes.iter().map(i64::to_string).collect();
            finding.help(format!("use {}", sizes.join(", ")))
        }
    });
}

/// Reports two Certificates that write into one Secret, which cert-manager then issues again and
/// again. Source: cert-manager's documentation, "Certificate resource".
fn shared_secrets(topology: &Topology, found: &mut Diagnostics) {
    // The first certificate of each Secret in each cluster: those of one name share no cluster.
    let mut first: BTreeMap<_, Vec<&CertificateRequest>> = BTreeMap::new();
    for request in &topology.requests {
        let Some(certificate) = &request.certificate else { continue };
        let name = &certificate.secret_name;
        let others = first.entry((&certificate.namespace, &name.value)).or_default();
        let meets =
            |other: &&&CertificateRequest| !other.clusters.and(&request.clusters).is_empty();
        let Some(other) = others.iter().find(meets) else {
            others.push(request);
            continue;
        };
        let message = format!("two certificates are written into the Secret `{}`", name.value);
        found.push(
            Diagnostic::new(&CONTRADICTION, name.span, message)
                .related(other.name.span, "the other one")
                .help("give one of them another `secretName`"),
        );
    }
}

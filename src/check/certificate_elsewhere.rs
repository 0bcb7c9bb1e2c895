//! Listeners whose certificate is requested for something else.

use crate::declare_rules;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::topology::Topology;
use crate::topology::certificates::CertificateRequest;
use crate::topology::gateway::{Gateway, Listener};

declare_rules! {
    /// ## What it does
    /// Reports a listener whose `certificate` is the Secret of a request in
    /// `certificates.requests` that does not fit: the Certificate stands in another namespace, a
    /// cluster of the gateway does not ask for it, or it is not for the listener's host. A Secret
    /// of which no request says anything is the team's own.
    ///
    /// ## Why it matters
    /// A Gateway finds Secrets in its own namespace only, unless it is granted another's, and does
    /// not take what is not there; a certificate for other names fails in every client. Source:
    /// Gateway API, `Gateway.spec.listeners.tls.certificateRefs`; RFC 6125, 6.4.3.
    ///
    /// ## Example
    /// ```yaml
    /// requests: {api.example.com: {issuer: letsencrypt, namespace: web, secretName: api-tls}}
    /// # …
    /// gateways: {public: {namespace: ingress, clusters: [use1], listeners: {https: {port: 443, protocol: HTTPS, certificate: api-tls}}}}
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// requests: {api.example.com: {issuer: letsencrypt, namespace: ingress, secretName: api-tls}}
    /// # …
    /// gateways: {public: {namespace: ingress, clusters: [use1], listeners: {https: {port: 443, protocol: HTTPS, certificate: api-tls}}}}
    /// ```
    pub static CERTIFICATE_ELSEWHERE = { code: "LB2063", name: "certificate-elsewhere", summary: "a listener whose certificate is requested for something else", severity: Warning };
}

/// Reports each such listener.
pub(super) fn check(topology: &Topology, found: &mut Diagnostics) {
    for gateway in &topology.gateways {
        for listener in &gateway.listeners {
            let Some(secret) = &listener.certificate else { continue };
            let made = topology.requests.iter().filter_map(|request| {
                let made = request.certificate.as_ref()?;
                (made.secret_name.value == *secret).then_some((request, &made.namespace))
            });
            let made: Vec<_> = made.collect();
            // A Secret that nothing asks for has been put there by other means.
            let Some((first, _)) = made.first() else { continue };
            let own = made.iter().filter(|(_, namespace)| **namespace == gateway.namespace);
            let own: Vec<_> = own.map(|(request, _)| *request).collect();
            let Some(problem) = misfit(topology, gateway, listener, &own) else { continue };
            let name = &listener.name;
            let message =
                format!("the certificate of the listener `{}` does not fit: {problem}", name.value);
            let request = own.first().unwrap_or(first);
            found.push(
                Diagnostic::new(&CERTIFICATE_ELSEWHERE, name.span, message)
                    .related(request.name.span, format!("the Secret `{secret}` is requested here"))
                    .help("ask for it in the gateway's namespace and clusters, for its host"),
            );
        }
    }
}

/// What does not fit of the requests in the gateway's namespace.
fn misfit(
    topology: &Topology,
    gateway: &Gateway,
    listener: &Listener,
    own: &[&CertificateRequest],
) -> Option<String> {
    if own.is_empty() {
        return Some(format!("it is not made in the namespace `{}`", gateway.namespace));
    }
    let asks = |id| own.iter().any(|request| request.clusters.contains(id));
    if let Some(id) = gateway.clusters.iter().find(|id| !asks(*id)) {
        return Some(format!("`{}` does not ask for it", topology.cluster(id).name.value));
    }
    let host = listener.hostname.as_ref()?;
    let names = own.iter().flat_map(|request| std::iter::once(&request.name).chain(&request.names));
    let covered = names.map(|name| &name.value).any(|name| covers(name, host));
    (!covered).then(|| format!("it is not for `{host}`"))
}

/// Whether a name of a certificate is for a host; `*` stands for one label.
fn covers(name: &str, host: &str) -> bool {
    let above = |name: &str| name.split_once('.').map(|(_, above)| above.to_owned());
    name == host || name.starts_with("*.") && above(name) == above(host)
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_star_is_one_label() {
        for (name, host) in [
            ("api.example.com", "api.example.com"),
            ("*.example.com", "api.example.com"),
            ("*.example.com", "*.example.com"),
        ] {
            assert!(covers(name, host), "{name} {host}");
        }
        for (name, host) in [
            ("api.example.com", "*.example.com"),
            ("*.example.com", "example.com"),
            ("*.example.com", "a.b.example.com"),
            ("*.b.example.com", "a.example.com"),
        ] {
            assert!(!covers(name, host), "{name} {host}");
        }
    }
}

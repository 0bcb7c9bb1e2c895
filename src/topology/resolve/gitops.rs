//! The GitOps tool that applies what is written.

use super::super::{CILIUM_CHARTS, GitOps};
use super::CONTRADICTION;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Spanned;
use crate::spec::TopologySpec;
use crate::spec::delivery::GitOpsTool;
use crate::yaml::INVALID_VALUE;

/// Resolves the tool; `output` is the folder into which compile writes.
pub(super) fn resolve(
    written: &TopologySpec,
    output: &str,
    found: &mut Diagnostics,
) -> Option<GitOps> {
    let gitops = written.gitops.as_ref()?;
    let Spanned { value: tool, span } = gitops.tool;
    let flux = tool == GitOpsTool::Flux;
    if !flux && gitops.url.is_none() {
        let message = "Argo CD needs the `url` of the repository that it reads";
        let help = "add `url: https://git.example.com/platform/mesh.git`";
        found.push(Diagnostic::new(&CONTRADICTION, span, message).help(help));
    }
    if let Some(secret) = gitops.secret_name.as_ref().filter(|_| !flux || gitops.url.is_none()) {
        let message = "`secretName` is of a Flux `GitRepository`, and none is written here";
        let help = if flux { "add the `url` that it is for" } else { "remove it" };
        found.push(Diagnostic::new(&CONTRADICTION, secret.span, message).help(help));
    }
    if let Some(url) = gitops.url.as_ref().filter(|url| has_password(&url.value)) {
        let message = "the URL of a repository has a password in it";
        let help = "keep it in a Secret of the tool; with Flux, name that in `secretName`";
        found.push(Diagnostic::new(&INVALID_VALUE, url.span, message).help(help));
    }
    let text = |text: Option<String>, default: &str| text.unwrap_or_else(|| default.to_owned());
    let folder = gitops.path.as_ref().map_or("", |path| &path.value.0);
    let parts = folder.split('/').chain(output.split('/'));
    let parts: Vec<_> = parts.filter(|part| !matches!(*part, "" | ".")).collect();
    Some(GitOps {
        span: gitops.span,
        tool,
        url: gitops.url.as_ref().map(|url| url.value.0.clone()),
        branch: text(gitops.branch.as_ref().map(|branch| branch.value.0.clone()), "main"),
        path: parts.join("/"),
        namespace: text(
            gitops.namespace.as_ref().map(|namespace| namespace.value.0.clone()),
            if flux { "flux-system" } else { "argocd" },
        ),
        secret_name: gitops.secret_name.as_ref().map(|name| name.value.0.clone()),
        chart_repository: text(
            gitops
                .chart_repository
                .as_ref()
                .map(|url| url.value.0.trim_end_matches('/').to_owned()),
            CILIUM_CHARTS,
        ),
    })
}

/// Whether a URL says who reads it with which password (RFC 3986, 3.2.1).
fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::has_password;
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    #[test]
    fn passwords_are_seen() {
        for url in ["https://me:secret@git.example.com/a", "http://:x@h"] {
            assert!(has_password(url), "{url}");
        }
        for url in ["https://git.example.com/a:b@c", "ssh://git@h/a", "git@h:a/b", "https://h:80/a"]
        {
            assert!(!has_password(url), "{url}");
        }
    }

    #[test]
    fn a_tool_says_what_it_needs() {
        for (gitops, finding) in [
            ("{tool: argocd}", Some("LB0016 Argo CD needs the `url`")),
            ("{tool: flux}", None),
            ("{tool: flux, secretName: git}", Some("LB0016 `secretName` is of a Flux")),
            ("{tool: flux, url: \"https://h/a\", secretName: git}", None),
            ("{tool: argocd, url: \"https://h/a\", secretName: git}", Some("LB0016 `secretName`")),
            ("{tool: argocd, url: \"https://me:x@h/a\"}", Some("LB0007 the URL of a repository")),
        ] {
            let text = TWO_CLUSTERS.replace("  mesh:\n", &format!("  gitops: {gitops}\n  mesh:\n"));
            let (_, found) = resolved(&text);
            let said = found.first().map(|f| f.split_once(' ').map_or("", |(_, said)| said));
            assert_eq!(found.len(), usize::from(finding.is_some()), "{gitops}: {found:?}");
            assert!(said.unwrap_or_default().starts_with(finding.unwrap_or_default()), "{found:?}");
        }
    }
}

//! The GitOps tool that applies what is written.

use super::super::{CILIUM_CHARTS, GitOps};
use super::CONTRADICTION;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::Spanned;
use crate::source::credentials::has_credentials;
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
    if let Some(url) = gitops.url.as_ref().filter(|url| has_credentials(&url.value)) {
        let message = "the URL of a repository has credentials in it";
        let help = "write nothing before the host; keep a password or a token in a Secret of the \
                    tool, and with Flux name that in `secretName`";
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

#[cfg(test)]
mod tests {
    use crate::topology::sample::{TWO_CLUSTERS, resolved};

    #[test]
    fn a_tool_says_what_it_needs() {
        for (gitops, finding) in [
            ("{tool: argocd}", Some("LB0016 Argo CD needs the `url`")),
            ("{tool: flux}", None),
            ("{tool: flux, secretName: git}", Some("LB0016 `secretName` is of a Flux")),
            ("{tool: flux, url: \"https://h/a\", secretName: git}", None),
            ("{tool: argocd, url: \"https://h/a\", secretName: git}", Some("LB0016 `secretName`")),
            ("{tool: argocd, url: \"https://me:x@h/a\"}", Some("LB0007 the URL of a repository")),
            ("{tool: flux, url: \"https://t@h/a\"}", Some("LB0007 the URL of a repository")),
            ("{tool: flux, url: \"ssh://git@h/a\"}", None),
            (
                "{tool: flux, chartRepository: \"oci://me:secret@h/a\"}",
                Some("LB0007 `oci://*********@h/a` is not the URL of a Helm repository"),
            ),
        ] {
            let text = TWO_CLUSTERS.replace("  mesh:\n", &format!("  gitops: {gitops}\n  mesh:\n"));
            let (_, found) = resolved(&text);
            let said = found.first().map(|f| f.split_once(' ').map_or("", |(_, said)| said));
            assert_eq!(found.len(), usize::from(finding.is_some()), "{gitops}: {found:?}");
            assert!(said.unwrap_or_default().starts_with(finding.unwrap_or_default()), "{found:?}");
        }
    }
}

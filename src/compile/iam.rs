//! IAM policy documents: what a role may do, and who may take it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// The version of the policy language; the older one knows no policy variables.
/// Source: IAM, "IAM JSON policy elements: Version".
const VERSION: &str = "2012-10-17";

/// One permission.
#[derive(Clone, Debug, Default)]
pub(super) struct Statement {
    /// Its name in the document: letters and digits.
    pub(super) sid: Option<&'static str>,
    /// Who is permitted, such as `("Federated", "arn:aws:iam::…")`: in trust policies only.
    pub(super) principal: Option<(&'static str, String)>,
    /// What is permitted, such as `ec2:DescribeSubnets`.
    pub(super) actions: BTreeSet<&'static str>,
    /// On what, as ARNs or `*`; empty in trust policies.
    pub(super) resources: BTreeSet<String>,
    /// When, by operator: `StringEquals` of a key to its values.
    pub(super) conditions: BTreeMap<&'static str, BTreeMap<String, BTreeSet<String>>>,
}

/// The document that permits this and nothing else.
pub(super) fn document(statements: impl IntoIterator<Item = Statement>) -> Value {
    let statements: Vec<Value> = statements.into_iter().map(statement).collect();
    json!({"Version": VERSION, "Statement": statements})
}

fn statement(of: Statement) -> Value {
    let mut out = Map::new();
    out.extend(of.sid.map(|sid| ("Sid".to_owned(), sid.into())));
    out.insert("Effect".to_owned(), "Allow".into());
    out.extend(of.principal.map(|(kind, who)| ("Principal".to_owned(), json!({ kind: who }))));
    out.insert("Action".to_owned(), of.actions.into_iter().collect());
    if !of.resources.is_empty() {
        out.insert("Resource".to_owned(), of.resources.into_iter().collect());
    }
    if !of.conditions.is_empty() {
        out.insert("Condition".to_owned(), json!(of.conditions));
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_written_as_iam_writes_it() {
        let key = "oidc.example.com/id/A:sub".to_owned();
        let may = Statement {
            sid: Some("Zone"),
            actions: BTreeSet::from(["route53:ListTagsForResource", "route53:GetChange"]),
            resources: BTreeSet::from(["*".to_owned()]),
            ..Statement::default()
        };
        let who = Statement {
            principal: Some(("Federated", "arn:aws:iam::1:oidc-provider/a".to_owned())),
            actions: BTreeSet::from(["sts:AssumeRoleWithWebIdentity"]),
            conditions: BTreeMap::from([(
                "StringEquals",
                BTreeMap::from([(key.clone(), BTreeSet::from(["one".to_owned()]))]),
            )]),
            ..Statement::default()
        };
        assert_eq!(
            document([may, who]),
            json!({"Version": "2012-10-17", "Statement": [
                {
                    "Sid": "Zone",
                    "Effect": "Allow",
                    "Action": ["route53:GetChange", "route53:ListTagsForResource"],
                    "Resource": ["*"],
                },
                {
                    "Effect": "Allow",
                    "Principal": {"Federated": "arn:aws:iam::1:oidc-provider/a"},
                    "Action": ["sts:AssumeRoleWithWebIdentity"],
                    "Condition": {"StringEquals": { key: ["one"] }},
                },
            ]}),
        );
    }
}

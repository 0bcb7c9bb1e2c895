//! The ARNs of IAM roles.

use super::value::RoleArn;

/// What stands for the cluster's name in the ARN of a role that each cluster has its own of.
const CLUSTER: &str = "{cluster}";
/// Longest name of a role. Source: IAM and STS quotas.
const LONGEST_NAME: usize = 64;

/// The parts of a role's ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleParts<'a> {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: &'a str,
    /// The account.
    pub account: &'a str,
    /// The name, without the path.
    pub name: &'a str,
}

/// Takes a role's ARN apart.
/// Source: IAM's reference, "IAM identifiers" and `CreateRole`.
///
/// # Errors
///
/// What to write instead.
pub fn parts(arn: &str) -> Result<RoleParts<'_>, String> {
    let form = "write it as `arn:aws:iam::111122223333:role/name`";
    let fields: Vec<_> = arn.splitn(6, ':').collect();
    let [_, partition, "iam", "", account, resource] = fields[..] else { return Err(form.into()) };
    let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let known = ["aws", "aws-cn", "aws-us-gov"].contains(&partition);
    let Some(path) = resource.strip_prefix("role/") else { return Err(form.into()) };
    if !(arn.starts_with("arn:") && digits && known) {
        return Err(form.into());
    }
    let plain = path.replace(CLUSTER, "c");
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    if plain.split('/').any(str::is_empty) || !plain.bytes().all(|b| of_name(b) || b == b'/') {
        return Err("use letters, digits and `+=,.@_-` in its name, and `{cluster}`".into());
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.replace(CLUSTER, "").len() > LONGEST_NAME {
        return Err(format!("use a name of at most {LONGEST_NAME} characters"));
    }
    Ok(RoleParts { partition, account, name })
}

impl RoleArn {
    /// The role of a cluster; an error says that its name is too long.
    ///
    /// # Errors
    ///
    /// The length of the role's name.
    pub fn of_cluster(&self, cluster: &str) -> Result<String, usize> {
        let arn = self.0.replace(CLUSTER, cluster);
        let length = arn.rsplit('/').next().map_or(0, str::len);
        if length > LONGEST_NAME { Err(length) } else { Ok(arn) }
    }

    /// Whether each cluster has a role of its own.
    pub fn is_per_cluster(&self) -> bool {
        self.0.contains(CLUSTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_taken_apart() {
        let arn = "arn:aws-cn:iam::012345678901:role/dns/solvers/dns01-{cluster}";
        let expected =
            RoleParts { partition: "aws-cn", account: "012345678901", name: "dns01-{cluster}" };
        assert_eq!(parts(arn), Ok(expected));
        assert_eq!(
            RoleArn(arn.into()).of_cluster("use1").as_deref(),
            Ok("arn:aws-cn:iam::012345678901:role/dns/solvers/dns01-use1")
        );
        assert_eq!(RoleArn(arn.into()).of_cluster(&"c".repeat(59)), Err(65));
    }

    #[test]
    fn what_is_no_role_is_refused() {
        for arn in [
            "",
            "dns01",
            "arn:aws:iam::1:role/a",
            "arn:aws:iam::012345678901:user/a",
            "arn:aws:iam::012345678901:role/",
            "arn:aws:iam::012345678901:role//a",
            "arn:aws:iam::012345678901:role/a b",
            "arn:aws:iam::012345678901:role/{region}",
            "arn:azure:iam::012345678901:role/a",
            "arn:aws:iam:eu-west-1:012345678901:role/a",
            "urn:aws:iam::012345678901:role/a",
        ] {
            assert!(parts(arn).is_err(), "{arn}");
        }
        assert!(parts(&format!("arn:aws:iam::012345678901:role/{}", "a".repeat(65))).is_err());
    }
}

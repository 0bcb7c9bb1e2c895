//! The rules about acceptances.

use crate::declare_rules;

declare_rules! {
    /// ## What it does
    /// Reports an acceptance that cannot be read: it gives no reason, names a rule that does not
    /// exist or a day that the calendar does not have, or says something else than `allow`. A
    /// comment that begins with `landbridge:` is always read as one.
    ///
    /// ## Why it matters
    /// It accepts nothing, although whoever wrote it thinks that it does. And who finds an
    /// acceptance without a reason a year later cannot know whether it still holds.
    ///
    /// ## Example
    /// ```yaml
    /// id: 300 # landbridge: allow(LB2002)
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// id: 300 # landbridge: allow(LB2002) becomes 30 with the next maintenance until 2027-01-31
    /// ```
    pub static INVALID_ACCEPTANCE = { code: "LB0019", name: "invalid-acceptance", summary: "an acceptance of findings that cannot be read", severity: Error };

    /// ## What it does
    /// Reports an acceptance whose last day is over, by the clock or by `--now`.
    ///
    /// ## Why it matters
    /// It accepts nothing any more: the findings that it accepted are back, as bad as their rules
    /// say, and name it. That was agreed when its end was written. Where it accepted nothing that
    /// is still there, it only misleads; that alone is a warning, so that no run fails for it.
    ///
    /// ## Example
    /// ```yaml
    /// cilium: 1.17.18 # landbridge: allow(LB3006) the upgrade is planned until 2026-06-30
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// cilium: 1.19.6
    /// ```
    pub static EXPIRED_ACCEPTANCE = { code: "LB0020", name: "expired-acceptance", summary: "an acceptance of findings that has ended", severity: Warning };

    /// ## What it does
    /// Reports an acceptance that no finding needs: what it accepted was mended, stands elsewhere,
    /// or is accepted by one that is nearer. That is judged only where the run was complete and
    /// did what finds it: `landbridge check` says nothing about an acceptance of LB6, and a
    /// project with errors in its shape is not judged.
    ///
    /// ## Why it matters
    /// It would hide the next mistake at that place.
    ///
    /// ## Example
    /// ```yaml
    /// id: 3 # landbridge: allow(LB2002) becomes 30 with the next maintenance
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// id: 3
    /// ```
    pub static UNNEEDED_ACCEPTANCE = { code: "LB0024", name: "unneeded-acceptance", summary: "an acceptance that no finding needs", severity: Warning };

    /// ## What it does
    /// Reports the attempt to accept what cannot be accepted: an error in reading the files or in
    /// resolving what they say (the shape, LB0, and what stands for a value that must be known,
    /// such as the version in LB3001), and findings about acceptances themselves.
    ///
    /// ## Why it matters
    /// What cannot be read or resolved is left out of the topology. It could neither be checked
    /// nor compiled, so that accepting the error would make manifests with something missing.
    ///
    /// ## Example
    /// ```yaml
    /// cilium: latest # landbridge: allow(LB3001) we always want the newest
    /// ```
    ///
    /// Use instead:
    /// ```yaml
    /// cilium: 1.19.6
    /// ```
    pub static FORBIDDEN_ACCEPTANCE = { code: "LB0025", name: "forbidden-acceptance", summary: "an acceptance of what cannot be accepted", severity: Error };
}

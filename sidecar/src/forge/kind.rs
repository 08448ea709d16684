//! Which forge a request is from.

use std::fmt;

use hyper::HeaderMap;

use super::header;

/// Ids that are longer are none of a forge's.
const LONGEST_ID: usize = 128;

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forge {
    /// github.com and GitHub Enterprise.
    GitHub,
    /// gitlab.com and one's own GitLab.
    GitLab,
    /// Gitea.
    Gitea,
    /// Forgejo, and Codeberg.
    Forgejo,
}

impl Forge {
    /// By the headers. Forgejo sends Gitea's too, and both send GitHub's.
    pub(super) fn of(headers: &HeaderMap) -> Option<Forge> {
        [Forge::Forgejo, Forge::Gitea, Forge::GitLab, Forge::GitHub]
            .into_iter()
            .find(|forge| headers.contains_key(forge.event_header()))
    }

    /// What it calls the event.
    pub(super) fn event_header(self) -> &'static str {
        match self {
            Forge::GitHub => "x-github-event",
            Forge::GitLab => "x-gitlab-event",
            Forge::Gitea => "x-gitea-event",
            Forge::Forgejo => "x-forgejo-event",
        }
    }

    /// The delivery's id: the same when it is sent again.
    pub(super) fn id(self, headers: &HeaderMap) -> Option<String> {
        let names: &[&str] = match self {
            Forge::GitHub => &["x-github-delivery"],
            // The key is that of the attempts at one delivery; the other differs in each, but an
            // older GitLab has no better.
            Forge::GitLab => &["idempotency-key", "x-gitlab-event-uuid"],
            Forge::Gitea => &["x-gitea-delivery"],
            Forge::Forgejo => &["x-forgejo-delivery", "x-gitea-delivery"],
        };
        names
            .iter()
            .find_map(|name| header(headers, name))
            .filter(|id| !id.is_empty() && id.len() <= LONGEST_ID)
            .map(|id| format!("id {id}"))
    }
}

impl fmt::Display for Forge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Forge::GitHub => "GitHub",
            Forge::GitLab => "GitLab",
            Forge::Gitea => "Gitea",
            Forge::Forgejo => "Forgejo",
        })
    }
}

//! Where in the console an address is.

use crate::model::id::WorkspaceId;

/// A section of a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Overview,
    Functions,
    Builds,
    Logs,
    Settings,
}

impl Section {
    pub const ALL: [Self; 5] = [
        Self::Overview,
        Self::Functions,
        Self::Builds,
        Self::Logs,
        Self::Settings,
    ];

    /// The section's address in a workspace.
    pub fn href(self, workspace: &WorkspaceId) -> String {
        match self {
            Self::Overview => format!("/workspaces/{workspace}"),
            Self::Functions => format!("/workspaces/{workspace}/functions"),
            Self::Builds => format!("/workspaces/{workspace}/builds"),
            Self::Logs => format!("/workspaces/{workspace}/logs"),
            Self::Settings => format!("/workspaces/{workspace}/settings"),
        }
    }
}

/// How deep in a section an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    Section,
    /// The form for a new function.
    Create,
    /// A function, whatever its tab.
    Function,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub workspace: Option<WorkspaceId>,
    pub section: Section,
    pub depth: Depth,
}

impl Place {
    pub fn of(path: &str) -> Self {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let workspace = match parts.next() {
            Some("workspaces") => parts.next().and_then(|id| WorkspaceId::parse(id).ok()),
            _ => None,
        };
        let section = match parts.next() {
            Some("functions") => Section::Functions,
            Some("builds") => Section::Builds,
            Some("logs") => Section::Logs,
            Some("settings") => Section::Settings,
            _ => Section::Overview,
        };
        let depth = match (section, parts.next()) {
            (Section::Functions, Some("new")) => Depth::Create,
            (Section::Functions, Some(_)) => Depth::Function,
            _ => Depth::Section,
        };
        Self {
            workspace,
            section,
            depth,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sub_pages_belong_to_their_section() {
        let place = Place::of("/workspaces/ws-1/functions/fn-1/logs");
        assert_eq!(
            (
                place.workspace.expect("a workspace").as_str(),
                place.section,
                place.depth
            ),
            ("ws-1", Section::Functions, Depth::Function)
        );
        assert_eq!(
            Place::of("/workspaces/ws-1/functions/new").depth,
            Depth::Create
        );
        assert_eq!(Place::of("/workspaces/ws-1").section, Section::Overview);
        assert_eq!(Place::of("/workspaces/ws-1/logs/").section, Section::Logs);
    }

    #[test]
    fn an_address_outside_a_workspace_has_none() {
        for path in [
            "/",
            "",
            "/nowhere",
            "/workspaces",
            "/workspaces/..",
            "/workspaces/a b",
        ] {
            assert_eq!(Place::of(path).workspace, None, "{path}");
        }
    }

    #[test]
    fn every_section_finds_itself_by_its_address() {
        let workspace = WorkspaceId::parse("ws-1").expect("valid");
        for section in Section::ALL {
            assert_eq!(Place::of(&section.href(&workspace)).section, section);
        }
    }
}

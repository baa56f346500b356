//! Functions as apps that Spin builds and runs, and back.

mod archive;
mod import;
mod manifest;
mod metadata;
mod readme;

use bytes::Bytes;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::actor::Actor;
use super::builds::Builds;
use super::functions::{FunctionRecord, Functions};
use super::paging::PageQuery;
use super::table::{blob_error, internal};
use super::workspaces::Workspaces;
use crate::model::deployment::AppName;
use crate::model::error::{Error, ErrorKind, Result};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::port::blobs::Blobs;
use crate::port::builder::{Builder, Recipe};
use readme::Contents;

pub use import::OnConflict;

/// By path.
type Files = BTreeMap<String, Bytes>;

const REQUIREMENTS: &str = "requirements.txt";
const README: &str = "README.md";
/// Where the source has a README of its own.
const OTHER_README: &str = "README.blue-faas.md";
const GITIGNORE: &str = ".gitignore";
const IGNORED: &str = ".spin/\n.venv/\n__pycache__/\n*.pyc\napp.wasm\n";
/// Bytes of a workspace's files at most: they are held in memory, and no server would take more back.
const MAX_WORKSPACE: usize = 256 * 1024 * 1024;

/// What an export holds beside the sources.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExportOptions {
    /// The values of the environment, which may be secret.
    pub values: bool,
    /// What was built of the saved source.
    pub component: bool,
}

/// An archive under the name to save it by.
pub struct Export {
    pub file_name: String,
    pub content: Bytes,
}

pub struct SpinApps {
    workspaces: Arc<Workspaces>,
    functions: Arc<Functions>,
    builds: Arc<Builds>,
    builder: Arc<dyn Builder>,
    blobs: Arc<dyn Blobs>,
}

impl SpinApps {
    pub fn new(
        workspaces: Arc<Workspaces>,
        functions: Arc<Functions>,
        builds: Arc<Builds>,
        builder: Arc<dyn Builder>,
        blobs: Arc<dyn Blobs>,
    ) -> Arc<Self> {
        Arc::new(Self {
            workspaces,
            functions,
            builds,
            builder,
            blobs,
        })
    }

    pub async fn export_function(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        options: ExportOptions,
    ) -> Result<Export> {
        let record = self.functions.record(workspace, id).await?;
        let component = if options.component {
            Some(self.component(&record).await?)
        } else {
            None
        };
        let files = self.app(&record, options.values, component).await?;
        Ok(Export {
            file_name: format!("{}.zip", app_name(&record)?),
            content: archive::pack(files).await?,
        })
    }

    /// A folder for each function. `values` as in [`ExportOptions`].
    pub async fn export_workspace(
        &self,
        actor: &Actor,
        id: &WorkspaceId,
        values: bool,
    ) -> Result<Export> {
        let workspace = self.workspaces.get(actor, id).await?;
        let mut records = self.functions.records(id).await?;
        records.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
        let mut all = Files::new();
        let mut folders: Vec<(String, String)> = Vec::new();
        let (mut used, mut numbers) = (HashSet::new(), HashMap::new());
        let mut size = 0;
        for record in records {
            let folder = free_folder(&app_name(&record)?, &mut used, &mut numbers);
            for (path, content) in self.app(&record, values, None).await? {
                size += content.len();
                all.insert(format!("{folder}/{path}"), content);
            }
            if size > MAX_WORKSPACE {
                return Err(Error::new(
                    ErrorKind::PayloadTooLarge,
                    format!(
                        "The functions of this workspace hold more than {} MiB. Export them one by one.",
                        MAX_WORKSPACE / (1024 * 1024)
                    ),
                ));
            }
            folders.push((folder, record.name.to_string()));
        }
        let readme = readme::of_workspace(workspace.name.as_str(), &folders);
        all.insert(README.to_owned(), Bytes::from(readme));
        let name = AppName::from_text(workspace.name.as_str());
        Ok(Export {
            file_name: format!(
                "{}.zip",
                name.map_or("workspace".to_owned(), |name| name.to_string())
            ),
            content: archive::pack(all).await?,
        })
    }

    /// The files of one app.
    async fn app(
        &self,
        record: &FunctionRecord,
        values: bool,
        component: Option<Bytes>,
    ) -> Result<Files> {
        let app = app_name(record)?;
        let tree = self.functions.saved_tree(record).await?;
        let recipe = self.builder.recipe(&tree).await;
        let recipe = recipe.map_err(|cause| internal("EXPORT_ERROR", cause))?;
        let contents = Contents {
            values,
            component: component.is_some(),
        };
        let manifest = manifest::text(record, &app, &recipe.command, values)?;
        let requirements = requirements(tree.files.get(REQUIREMENTS), &recipe);
        let mut generated = recipe.files;
        generated.insert(manifest::FILE.to_owned(), Bytes::from(manifest));
        generated.insert(REQUIREMENTS.to_owned(), Bytes::from(requirements));
        let readme = if tree.files.contains_key(README) {
            OTHER_README
        } else {
            README
        };
        generated.insert(
            readme.to_owned(),
            Bytes::from(readme::of_function(record, &app, contents)),
        );
        if !tree.files.contains_key(GITIGNORE) {
            generated.insert(GITIGNORE.to_owned(), Bytes::from_static(IGNORED.as_bytes()));
        }
        let mut files = metadata::join(record, generated, tree.files)?;
        if let Some(component) = component {
            files.insert(manifest::COMPONENT.to_owned(), component);
        }
        Ok(files)
    }

    /// What the newest version that was built of the saved source is, wherever Spin runs. Made of its image when nobody wanted it before.
    async fn component(&self, record: &FunctionRecord) -> Result<Bytes> {
        let saved = record.source_summary().sha256;
        let part = PageQuery::default();
        let versions = self.builds.versions(&record.id, &part).await?;
        let version = versions
            .rows
            .into_iter()
            .find(|version| version.source.sha256 == saved)
            .ok_or_else(|| {
                Error::conflict("Nothing was built of the code as it is saved. Deploy it first, or export without component=yes.")
                    .with_field("component")
            })?;
        let artifact = version.artifact.ok_or_else(|| {
            Error::conflict("This code was built elsewhere, and what was made of it is kept there. Export without component=yes, and build it with the command in spin.toml.")
                .with_field("component")
        })?;
        let artifact = self.builder.portable(&artifact).await;
        let artifact = artifact.map_err(|cause| internal("EXPORT_ERROR", cause))?;
        let component = self.blobs.get(&artifact.key, Some(&artifact.sha256)).await;
        component.map_err(blob_error)
    }
}

/// The name it is deployed under, or would be.
fn app_name(record: &FunctionRecord) -> Result<AppName> {
    let name = record.app_name.clone();
    match name.or_else(|| AppName::from_text(record.name.as_str())) {
        Some(name) => Ok(name),
        None => AppName::parse("function"),
    }
}

/// The app's name, numbered where another folder has it. `numbers` says how far each name was counted.
fn free_folder(
    app: &AppName,
    used: &mut HashSet<String>,
    numbers: &mut HashMap<AppName, u32>,
) -> String {
    let number = numbers.entry(app.clone()).or_insert(0);
    loop {
        *number += 1;
        let folder = match *number {
            1 => app.to_string(),
            number => format!("{app}-{number}"),
        };
        if used.insert(folder.clone()) {
            return folder;
        }
    }
}

/// The source's own requirements, and the tools in the versions that a build here uses.
fn requirements(own: Option<&Bytes>, recipe: &Recipe) -> String {
    let own = own.map(|content| String::from_utf8_lossy(content).into_owned());
    let package = |line: &str| {
        let end = line
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')))
            .unwrap_or(line.len());
        line[..end].to_ascii_lowercase().replace(['_', '.'], "-")
    };
    let pinned: Vec<String> = recipe
        .requirements
        .iter()
        .map(|line| package(line))
        .collect();
    let mut lines: Vec<&str> = own
        .as_deref()
        .unwrap_or_default()
        .lines()
        .filter(|line| !pinned.contains(&package(line.trim())))
        .collect();
    lines.extend(recipe.requirements.iter().map(String::as_str));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_a_folder_of_its_own() {
        let (mut used, mut numbers) = (HashSet::new(), HashMap::new());
        let folders = ["shop", "shop-2", "shop", "shop"].map(|app| {
            let app = AppName::parse(app).expect("an app name");
            free_folder(&app, &mut used, &mut numbers)
        });
        assert_eq!(folders, ["shop", "shop-2", "shop-3", "shop-4"]);
    }

    #[test]
    fn pinned_tools_replace_the_ones_that_a_source_lists() {
        let recipe = Recipe {
            requirements: vec!["spin-sdk==3.4.1".to_owned()],
            command: String::new(),
            files: BTreeMap::new(),
        };
        let own = Bytes::from_static(b"# tools\r\nidna==3.10\r\nSpin_SDK >=1\n");
        assert_eq!(
            requirements(Some(&own), &recipe),
            "# tools\nidna==3.10\nspin-sdk==3.4.1\n"
        );
        assert_eq!(requirements(None, &recipe), "spin-sdk==3.4.1\n");
    }
}

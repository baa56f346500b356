//! The Settings tab.

use super::{Text, messages};

messages!(SettingMessages {
    general: Text = "General",
    cluster_note: Text = "Memory takes effect with the next deployment. In the cluster the allowed outbound hosts are those of the image, and instances are Spin's to keep.",
    apply_note: Text = "Settings take effect at once, also on the version that serves. Code takes effect with the next deployment.",
    save: Text = "Save settings",
    saved: Text = "Settings are saved.",
    conflict_title: Text = "Someone else saved this function.",
    conflict_text: Text = "Your changes are still in the form and are not saved. Load what was saved, then change it again.",
    conflict_load: Text = "Load what was saved",
    danger: Text = "Danger zone",
    disable_title: Text = "Disable the function",
    disable_text: Text = "Its address answers 503 until it is enabled; nothing is lost.",
    enable_title: Text = "Enable the function",
    enable_text: Text = "Its address answers again.",
    disable: Text = "Disable",
    enable: Text = "Enable",
    delete_title: Text = "Delete the function",
    delete_text: Text = "Its code, versions, deployments and executions go with it, for good.",
    delete: Text = "Delete…",
});

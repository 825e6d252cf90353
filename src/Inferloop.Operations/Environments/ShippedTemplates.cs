using Inferloop.Templates;

namespace Inferloop.Operations.Environments;

/// <summary>Where the templates lie that ship with the module.</summary>
internal static class ShippedTemplates
{
    /// <summary>bin/templates beside bin/engine, where this assembly lies in the module.</summary>
    public static string Folder { get; } = System.IO.Path.GetFullPath(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(typeof(Template).Assembly.Location)!, "..", "templates"));

    public static string Root(EnvironmentOptions options) => System.IO.Path.Combine(options.TemplateFolder ?? Folder, "main.yaml");

    public static string Control(EnvironmentOptions options) => System.IO.Path.Combine(options.TemplateFolder ?? Folder, "control.yaml");
}

using System.Management.Automation.Language;

namespace Inferloop.Tests.PowerShell;

/// <summary>The built module, imported as a user imports it.</summary>
public sealed class ModuleImportTests
{
    [Fact]
    public void Every_cmdlet_of_the_manifest_is_exported_and_none_else()
    {
        using var session = new ModuleFixture();
        var exported = session.Invoke("(Get-Module Inferloop).ExportedCmdlets.Keys").EnsureSuccess().Output.Select(o => o.ToString()).Order();
        Assert.Equal(ManifestList("CmdletsToExport").Order(), exported);
    }

    [Fact]
    public void Every_cmdlet_of_the_assembly_is_in_the_manifest()
    {
        var built = typeof(Inferloop.PowerShell.Pipeline.InferloopCmdlet).Assembly.GetTypes()
            .Select(t => (System.Management.Automation.CmdletAttribute?)Attribute.GetCustomAttribute(t, typeof(System.Management.Automation.CmdletAttribute)))
            .OfType<System.Management.Automation.CmdletAttribute>()
            .Select(a => $"{a.VerbName}-{a.NounName}");
        Assert.Equal(built.Order(), ManifestList("CmdletsToExport").Order());
    }

    [Fact]
    public void Importing_again_with_Force_exports_everything_again()
    {
        using var session = new ModuleFixture();
        var again = $"Import-Module '{ModuleFixture.Manifest}' -Force -ErrorAction Stop; (Get-Command -Module Inferloop).Count";
        var count = ManifestList("CmdletsToExport").Count;
        Assert.Equal(count, session.Invoke(again).Single<int>());
        Assert.Equal(count, session.Invoke(again).Single<int>());
    }

    [Fact]
    public void Removing_the_module_removes_its_cmdlets()
    {
        using var session = new ModuleFixture();
        session.Invoke("Remove-Module Inferloop -ErrorAction Stop").EnsureSuccess();
        Assert.Empty(session.Invoke("Get-Command *-Inferloop* -CommandType Cmdlet").EnsureSuccess().Output);
        Assert.DoesNotContain(session.Invoke("Get-Module").EnsureSuccess().Output, m => m.ToString()!.Contains("Inferloop", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_format_and_type_file_of_the_layout_is_in_the_manifest()
    {
        var bin = Path.Combine(Repository.Root, "bin");
        string[] built = [.. Directory.EnumerateFiles(bin, "*.format.ps1xml"), .. Directory.EnumerateFiles(bin, "*.types.ps1xml")];
        Assert.NotEmpty(built);
        Assert.Equal(
            built.Select(f => "bin/" + Path.GetFileName(f)).Order(),
            ManifestList("FormatsToProcess").Concat(ManifestList("TypesToProcess")).Order());
    }

    internal static IReadOnlyList<string> ManifestList(string key)
    {
        var ast = Parser.ParseFile(ModuleFixture.Manifest, out _, out var errors);
        Assert.Empty(errors);
        var table = (HashtableAst)ast.Find(a => a is HashtableAst, searchNestedScriptBlocks: false)!;
        var pair = table.KeyValuePairs.Single(p => p.Item1.SafeGetValue().Equals(key));
        return [.. ((object[])((PipelineAst)pair.Item2).GetPureExpression()!.SafeGetValue()).Cast<string>()];
    }
}

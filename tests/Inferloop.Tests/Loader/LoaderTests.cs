using System.Reflection;
using System.Runtime.Loader;
using Inferloop.Loader;
using Inferloop.Tests.PowerShell;
using Inferloop.Tests.Shell;

namespace Inferloop.Tests.Loader;

/// <summary>The module's dependencies and the session's never meet.</summary>
public sealed class LoaderTests
{
    private static readonly string Engine = Path.Combine(Repository.Root, "bin", "engine");

    [Fact]
    public void The_engine_and_what_it_depends_on_live_in_a_context_of_their_own()
    {
        var assembly = EngineLoader.Load(Engine);
        var context = AssemblyLoadContext.GetLoadContext(assembly)!;
        Assert.NotSame(AssemblyLoadContext.Default, context);
        var core = context.LoadFromAssemblyName(new AssemblyName("AWSSDK.Core"));
        Assert.Equal(Path.Combine(Engine, "AWSSDK.Core.dll"), core.Location);

        // The engine of PowerShell is the host's: cmdlets must be the host's cmdlets.
        Assert.Same(typeof(System.Management.Automation.PSObject).Assembly, context.LoadFromAssemblyName(new AssemblyName("System.Management.Automation")));
        Assert.True(assembly.GetType("Inferloop.PowerShell.Pipeline.InferloopCmdlet", true)!.IsSubclassOf(typeof(System.Management.Automation.PSCmdlet)));
    }

    [Fact]
    public void The_same_folder_gives_the_same_assembly() =>
        Assert.Same(EngineLoader.Load(Engine), EngineLoader.Load(Engine + Path.DirectorySeparatorChar));

    [Fact]
    public void A_folder_without_the_engine_says_what_to_do()
    {
        var failure = Assert.Throws<FileNotFoundException>(() => EngineLoader.Load(Path.Combine(Repository.Root, "docs")));
        Assert.Contains("dotnet build", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_host_s_own_assemblies_are_not_shipped()
    {
        var shipped = Directory.EnumerateFiles(Path.Combine(Repository.Root, "bin"), "*.dll", SearchOption.AllDirectories).Select(Path.GetFileNameWithoutExtension).ToList();
        Assert.Contains("AWSSDK.Core", shipped);
        Assert.DoesNotContain("System.Management.Automation", shipped);
    }

    [Fact]
    public void No_type_of_a_dependency_is_a_parameter_or_an_output()
    {
        var engine = typeof(Inferloop.PowerShell.Pipeline.InferloopCmdlet).Assembly;
        var cmdlets = engine.GetTypes().Where(t => t.IsDefined(typeof(System.Management.Automation.CmdletAttribute))).ToList();
        Assert.NotEmpty(cmdlets);
        var seen = new HashSet<Type>();
        var problems = new List<string>();
        foreach (var cmdlet in cmdlets)
        {
            foreach (var parameter in cmdlet.GetProperties().Where(p => p.IsDefined(typeof(System.Management.Automation.ParameterAttribute))))
            {
                Visit(parameter.PropertyType, $"{cmdlet.Name} -{parameter.Name}");
            }

            foreach (var output in cmdlet.GetCustomAttributes<System.Management.Automation.OutputTypeAttribute>().SelectMany(a => a.Type))
            {
                Assert.NotNull(output.Type);
                Visit(output.Type, $"{cmdlet.Name} output");
            }
        }

        Assert.Empty(problems);

        // Everything a user can reach from there by public properties and methods counts.
        void Visit(Type type, string path)
        {
            foreach (var part in Parts(type))
            {
                if (part.IsGenericParameter || !seen.Add(part))
                {
                    continue;
                }

                var assembly = part.Assembly.GetName().Name!;
                if (assembly.StartsWith("AWSSDK", StringComparison.Ordinal) || assembly is "YamlDotNet" or "Inferloop.Aws.Clients"
                    || (part.Namespace ?? "").StartsWith("Amazon", StringComparison.Ordinal))
                {
                    problems.Add($"{path}: {part}");
                }
                else if (assembly.StartsWith("Inferloop", StringComparison.Ordinal))
                {
                    foreach (var property in part.GetProperties(BindingFlags.Public | BindingFlags.Instance))
                    {
                        Visit(property.PropertyType, $"{path}.{property.Name}");
                    }

                    foreach (var method in part.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Where(m => !m.IsSpecialName))
                    {
                        Visit(method.ReturnType, $"{path}.{method.Name}()");
                    }
                }
            }
        }

        static IEnumerable<Type> Parts(Type type) => type switch
        {
            { HasElementType: true } => Parts(type.GetElementType()!),
            { IsGenericType: true } => type.GetGenericArguments().SelectMany(Parts).Prepend(type.GetGenericTypeDefinition()),
            _ => [type],
        };
    }

    [Theory]
    [InlineData("3.7.501.1", "netcoreapp3.1|net8.0")]
    [InlineData("4.0.3.3", "net8.0")]
    public async Task Another_AWSSDK_Core_in_the_session_and_the_module_both_work(string version, string frameworks)
    {
        // In real pwsh the other one is there first, as after 'Import-Module AWS.Tools.Common'.
        var pwsh = ExternalTool.Require("pwsh");
        var script = CoexistenceScript(OtherAwsCore.Path(version, frameworks), import: true);
        var result = await ExternalTool.RunAsync(pwsh, ["-NoProfile", "-NonInteractive", "-Command", script], ShellProcess.CleanEnvironment, TestContext.Current.CancellationToken);
        Assert.Equal("True|True|True", result.EnsureSuccess().Output.Trim());
    }

    [Fact]
    public async Task Another_AWSSDK_Core_loaded_before_the_module_needs_its_own_works_in_the_shell_too()
    {
        var script = CoexistenceScript(OtherAwsCore.Path("3.7.501.1", "netcoreapp3.1|net8.0"), import: false);
        var result = await ShellProcess.RunAsync(["-NonInteractive", "-Command", script], TestContext.Current.CancellationToken);
        Assert.Equal("True|True|True", result.EnsureSuccess().Output.Trim());
    }

    // The other one works; the module reaches the sandbox with its own; and they are two.
    private static string CoexistenceScript(string other, bool import) => $$"""
        $ErrorActionPreference = 'Stop'
        $other = [System.Reflection.Assembly]::LoadFrom('{{other}}')
        $region = $other.GetType('Amazon.RegionEndpoint')::GetBySystemName('us-west-2').DisplayName
        {{(import ? $"Import-Module '{ModuleFixture.Manifest}'" : "")}}
        Start-InferloopSandbox
        try { Get-InferloopEnvironment | Out-Null } catch { $reached = "$_" }
        $requests = (Get-InferloopSandbox).Requests
        Stop-InferloopSandbox
        $cores = @([AppDomain]::CurrentDomain.GetAssemblies() | Where-Object { $_.GetName().Name -eq 'AWSSDK.Core' })
        "$($region -like 'US West*')|$($requests -gt 0)|$($cores.Count -eq 2)"
        """;

    [Fact]
    public async Task Importing_opens_no_socket()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs /proc to see a process's sockets");
        var script = """
            $sockets = @([System.IO.Directory]::GetFileSystemEntries('/proc/self/fd') | ForEach-Object { [System.IO.File]::ResolveLinkTarget($_, $false).Name } | Where-Object { $_ -like 'socket:*' })
            "$((Get-Module Inferloop).ExportedCmdlets.Count -gt 0)|$($sockets.Count)"
            """;
        var environment = new Dictionary<string, string?>(ShellProcess.CleanEnvironment) { ["DOTNET_EnableDiagnostics"] = "0" };
        var result = await ShellProcess.RunAsync(["-Command", script], TestContext.Current.CancellationToken, environment);
        Assert.Equal("True|0", result.EnsureSuccess().Output.Trim());

        // The count sees a socket where there is one.
        result = await ShellProcess.RunAsync(["-Command", "Start-InferloopSandbox; " + script], TestContext.Current.CancellationToken, environment);
        Assert.NotEqual("True|0", result.EnsureSuccess().Output.Trim());
    }
}

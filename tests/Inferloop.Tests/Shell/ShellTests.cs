using System.Diagnostics;
using System.Management.Automation;
using Inferloop.Shell;
using Inferloop.Shell.Hosting;
using Inferloop.Shell.Interactive;

namespace Inferloop.Tests.Shell;

/// <summary>The Shell behaves as pwsh does: exit codes, streams, arguments, interruption, and the cmdlets that it brings.</summary>
public sealed class ShellTests
{
    /// <summary>A command line, and the exit code that pwsh has for it.</summary>
    public static TheoryData<string[], int> ExitCodes() => new()
    {
        { ["-Command", "1"], 0 },
        { ["-Command", "Write-Error x"], 1 },
        { ["-Command", "Write-Error x; 1"], 0 },
        { ["-Command", "throw 'x'"], 1 },
        { ["-Command", "if ("], 1 },
        { ["-Command", "exit 5"], 5 },
        { ["-Command", "& { exit 6 }"], 6 },
        { ["-Command", "no-such-command"], 1 },
        { ["-File", "SCRIPT:'ok'; exit 7"], 7 },
        { ["-File", "SCRIPT:Write-Error x"], 0 },
        { ["-File", "SCRIPT:throw 'x'"], 1 },
        { ["SCRIPT:exit 8"], 8 },
        { ["-File", "/no/such/script.ps1"], 64 },
        { ["-NoProfile", "-NoLogo", "-NonInteractive", "-Command", "Read-Host x"], 1 },
    };

    [Theory]
    [MemberData(nameof(ExitCodes))]
    public async Task Exit_codes_are_pwsh_s(string[] arguments, int expected)
    {
        using var script = Materialize(ref arguments);
        var cancellation = TestContext.Current.CancellationToken;
        Assert.Equal(expected, (await ShellProcess.RunAsync(arguments, cancellation)).ExitCode);
        if (ExternalTool.Find("pwsh") is { } pwsh)
        {
            Assert.Equal(expected, (await ExternalTool.RunAsync(pwsh, arguments, ShellProcess.CleanEnvironment, cancellation)).ExitCode);
        }
    }

    [Fact]
    public async Task A_script_gets_its_arguments_and_knows_where_it_is()
    {
        string[] arguments =
        [
            "SCRIPT:param([string] $Name, [switch] $Loud, [int] $Count = 3, [switch] $Off) \"$Name|$Loud|$Count|$Off|$(Split-Path $PSCommandPath -Leaf)|$([System.IO.Path]::GetFileName($PSScriptRoot))\"",
            "bob", "-Loud", "-Count", "4", "-Off:$false",
        ];
        using var script = Materialize(ref arguments);
        var result = await ShellProcess.RunAsync(arguments, TestContext.Current.CancellationToken);
        Assert.Equal($"bob|True|4|False|{Path.GetFileName(arguments[0])}|{Path.GetFileName(Path.GetDirectoryName(arguments[0]))}", result.EnsureSuccess().Output.Trim());
    }

    [Fact]
    public async Task Errors_go_to_standard_error_everything_else_to_standard_output_and_nothing_is_coloured_when_redirected()
    {
        var environment = new Dictionary<string, string?>(ShellProcess.CleanEnvironment) { ["NO_COLOR"] = null };
        var result = await ShellProcess.RunAsync(
            ["-Command", "'object'; Write-Host host -ForegroundColor Red; Write-Warning careful; Write-Verbose more -Verbose; Write-Error bad; Write-Progress doing; throw 'end'"],
            TestContext.Current.CancellationToken, environment);
        Assert.Equal(["object", "host", "WARNING: careful", "VERBOSE: more"], Lines(result.Output));
        Assert.Contains("bad", result.Error, StringComparison.Ordinal);
        Assert.Contains("end", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', result.Output + result.Error);
    }

    [Fact]
    public async Task In_a_ci_run_an_error_is_an_annotation_too()
    {
        var environment = new Dictionary<string, string?>(ShellProcess.CleanEnvironment) { ["GITHUB_ACTIONS"] = "true" };
        var result = await ShellProcess.RunAsync(["-Command", "Get-InferloopEnvironment -ProfileName no-such-profile -Region us-east-1"], TestContext.Current.CancellationToken, environment);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("::error title=Get-InferloopEnvironment%3A AwsCredentialsMissing::", result.Output, StringComparison.Ordinal);
        Assert.Contains("no-such-profile", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commands_from_standard_input_run_one_by_one_over_as_many_lines_as_they_take()
    {
        using var shell = StartInteractive();
        await shell.StandardInput.WriteAsync("function f {\n  'in f'\n}\nf\nWrite-Error bad\n'after'\nexit 9\n");
        shell.StandardInput.Close();
        var output = await shell.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await shell.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal((9, "in f\nafter"), (shell.ExitCode, string.Join('\n', Lines(output))));
    }

    [Fact]
    public async Task Ctrl_C_stops_what_runs_and_not_the_shell()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "needs kill to send SIGINT");
        var cancellation = TestContext.Current.CancellationToken;
        using var shell = StartInteractive();
        try
        {
            await shell.StandardInput.WriteLineAsync("Write-Host running; Start-Sleep 600; Write-Host 'not reached'");
            await shell.StandardInput.FlushAsync(cancellation);
            Assert.Equal("running", await shell.StandardOutput.ReadLineAsync(cancellation));
            (await ExternalTool.RunAsync("kill", ["-INT", shell.Id.ToString()], cancellation: cancellation)).EnsureSuccess();
            await shell.StandardInput.WriteLineAsync("Write-Host 'still here'");
            await shell.StandardInput.FlushAsync(cancellation);
            Assert.Equal("still here", await shell.StandardOutput.ReadLineAsync(cancellation));
            shell.StandardInput.Close();
            await shell.WaitForExitAsync(cancellation);
        }
        finally
        {
            if (!shell.HasExited)
            {
                shell.Kill(entireProcessTree: true);
            }
        }
    }

    /// <summary>Scripts whose output must be pwsh's to the letter.</summary>
    public static TheoryData<string> Snippets() =>
    [
        "1..5 | Select-Object -First 2 -Skip 1",
        "1..5 | Select-Object -Last 2; 1..4 | Select-Object -SkipLast 3; 1,1,2 | Select-Object -Unique; 'a','b','c' | Select-Object -Index 0,2",
        "[pscustomobject]@{ a = 1; b = 'x' } | Select-Object b, @{ n = 'twice'; e = { $_.a * 2 } }, missing | ConvertTo-Json -Compress",
        "[pscustomobject]@{ a = @(1, 2) } | Select-Object -ExpandProperty a",
        "3,1,2 | Sort-Object; 'b','A','c' | Sort-Object -Descending; 2,1,2 | Sort-Object -Unique; 5,4,3 | Sort-Object -Top 2",
        "@([pscustomobject]@{ a = 1; b = 2 }, [pscustomobject]@{ a = 1; b = 1 }) | Sort-Object a, @{ e = 'b'; Descending = $true } | ForEach-Object b",
        "'a','b','a' | Group-Object | ForEach-Object { \"$($_.Name)=$($_.Count)\" }; ('xa','xb' | Group-Object { $_[0] } -AsHashTable -AsString)['x'].Count",
        "1,2,3 | Measure-Object -Sum -Average -Maximum | ForEach-Object { \"$($_.Count) $($_.Sum) $($_.Average) $($_.Maximum)\" }",
        "@{ a = 1.0; b = $null; c = 'x\"y'; d = @(1, @{ e = $true }); f = [datetime]'2026-01-02T03:04:05Z' } | ForEach-Object { foreach ($k in 'a','b','c','d') { $_[$k] | ConvertTo-Json -Compress -Depth 5 } }",
        "[ordered]@{ a = @(); b = @{}; c = 'é<>&' } | ConvertTo-Json",
        "$o = '{\"a\":[1,2.5],\"d\":{\"x\":true,\"n\":null}}' | ConvertFrom-Json; $o.a[1]; $o.d.x; $null -eq $o.d.n; $o.a[0].GetType().Name; ('{\"k\":1}' | ConvertFrom-Json -AsHashtable)['k']",
        "[pscustomobject]@{ Name = 'a,b'; N = 1 } | ConvertTo-Csv",
        "[pscustomobject]@{ Name = 'demo'; Size = 12 }, [pscustomobject]@{ Name = 'x'; Size = 3 } | Format-Table -AutoSize",
        "[pscustomobject]@{ Name = 'demo'; Size = 12 } | Format-List",
        "[pscustomobject]@{ Name = 'demo'; Size = 12 } | Format-Table Name, @{ n = 'Half'; e = { $_.Size / 2 }; Width = 8 } | Out-String -Width 60",
        "Write-Host a, b -Separator '-'; Write-Host 'no' -NoNewline; Write-Host 'newline'; Write-Output 1, 2 | ForEach-Object { $_ + 1 }; Write-Host $null; Write-Host @{}.Count",
        "Join-Path a b; Join-Path /x y z; Split-Path /a/b/c.txt; Split-Path /a/b/c.txt -Leaf; Split-Path /a/b/c.txt -LeafBase; Split-Path c.txt -Extension; Test-Path /tmp; Test-Path /no/such; Test-Path /tmp -PathType Leaf",
        "$f = Join-Path ([IO.Path]::GetTempPath()) \"inferloop-$PID.txt\"; 'one','two' | Set-Content $f; 'three' | Add-Content $f; Get-Content $f; (Get-Content $f -Raw).Length; Get-Content $f -Tail 1; Remove-Item $f; Test-Path $f",
        "(New-TimeSpan -Minutes 90).TotalHours; Get-Date -Date 2026-01-02 -Format yyyy/MM/dd; (Measure-Command { 1 }).GetType().Name; Invoke-Expression '1+1'; (New-Object System.Uri 'http://x/').Host",
        "Set-Variable v 5; Get-Variable v -ValueOnly; Remove-Variable v; $null -eq $v",
        "try { Write-Error 'bad' -ErrorId My -Category ObjectNotFound -TargetObject t -ErrorAction Stop } catch { $_.FullyQualifiedErrorId; $_.CategoryInfo.Category; $_.TargetObject }",
        "try { Get-Item /no/such -ErrorAction Stop } catch { $_.CategoryInfo.Category; \"$_\" }; try { '{' | ConvertFrom-Json } catch { $_.CategoryInfo.Category }",
        "$w = $null; Write-Warning 'w' -WarningVariable w -WarningAction SilentlyContinue; \"$w\"; Write-Information i -InformationVariable iv; \"$iv\"",
    ];

    [Fact]
    public async Task The_cmdlets_it_brings_give_what_pwsh_s_give()
    {
        var pwsh = ExternalTool.Require("pwsh");
        var cancellation = TestContext.Current.CancellationToken;
        var snippets = Snippets().Select(s => s.Data).ToList();
        string[] arguments = ["SCRIPT:" + string.Concat(snippets.Select((s, i) => $"Write-Host '=== {i}'\n& {{\n{s}\n}} | Out-String -Width 100 | Write-Host\n"))];
        using var script = Materialize(ref arguments);
        var ours = (await ShellProcess.RunAsync(arguments, cancellation)).EnsureSuccess();
        var theirs = (await ExternalTool.RunAsync(pwsh, ["-NoProfile", .. arguments], ShellProcess.CleanEnvironment, cancellation)).EnsureSuccess();
        Assert.Equal(snippets.Count, theirs.Output.Split("=== ").Length - 1);
        Assert.All(
            theirs.Output.Split("=== ").Zip(ours.Output.Split("=== ")).Skip(1).Zip(snippets),
            pair => Assert.True(pair.First.First == pair.First.Second, $"{pair.Second}\n--- pwsh\n{pair.First.First}\n--- Shell\n{pair.First.Second}"));
    }

    [Fact]
    public void A_command_line_is_read_as_pwsh_reads_it()
    {
        Assert.Equal("a b", ShellArguments.Parse(["-nop", "-noni", "-c", "a", "b"]).Command);
        Assert.True(ShellArguments.Parse(["-NonInteractive"]).NonInteractive);
        Assert.Equal("x.ps1", ShellArguments.Parse(["-f", "x.ps1", "-Command", "y"]).File);
        Assert.Equal("-", ShellArguments.Parse(["-"]).Command);
        Assert.NotNull(ShellArguments.Parse(["-bogus"]).Problem);
        Assert.NotNull(ShellArguments.Parse(["-File"]).Problem);
    }

    [Theory]
    [InlineData("if ($true) {", true)]
    [InlineData("'open", true)]
    [InlineData("1 |", true)]
    [InlineData("1 + 1", false)]
    [InlineData(")", false)]
    public void An_unfinished_command_waits_for_more(string text, bool expected) => Assert.Equal(expected, Repl.IsIncomplete(text));

    [Theory]
    [InlineData("abc\b\bX\r", "aX")]
    [InlineData("ab<Left>X<End>Y\r", "aXbY")]
    [InlineData("one two<CtrlW>three\r", "one three")]
    [InlineData("abc<Home><Delete>\r", "bc")]
    [InlineData("first\r<Up>!\r", "first!")]
    [InlineData("first\rsecond\r<Up><Up><Down>\r", "second")]
    [InlineData("Get-Inf\t\t!\r", "Get-InferloopB!")]
    [InlineData("abc<CtrlA><CtrlK>x\r", "x")]
    public void Keys_edit_the_line(string keys, string expected)
    {
        var editor = new LineEditor(new ScriptedKeys(keys), TextWriter.Null, () => 20, (line, cursor) => (0, line.Length, ["Get-InferloopA", "Get-InferloopB"]));
        string? line = null;
        for (var lines = keys.Count(c => c == '\r'); lines > 0; lines--)
        {
            line = editor.ReadLine("PS> ");
        }

        Assert.Equal(expected, line);
    }

    [Fact]
    public void Ctrl_C_abandons_the_line_and_Ctrl_D_ends_the_input()
    {
        var editor = new LineEditor(new ScriptedKeys("abc<CtrlC><CtrlD>"), TextWriter.Null, () => 80, (_, _) => (-1, 0, []));
        Assert.Throws<OperationCanceledException>(() => editor.ReadLine("PS> "));
        Assert.Null(editor.ReadLine("PS> "));
    }

    [Fact]
    public void Bars_make_way_for_output_and_come_back()
    {
        var terminal = new StringWriter();
        var pane = new ProgressPane(terminal, () => 60);
        pane.Update(new ProgressRecord(1, "Creating demo", "network") { PercentComplete = 50, SecondsRemaining = 75 });
        Assert.Equal("  Creating demo [######------]  50% 1:15 left network\n", terminal.ToString());
        pane.Hide();
        terminal.Write("a line\n");
        pane.Wrote("a line\n");
        Assert.EndsWith("\u001b[1A\r\u001b[Ja line\n  Creating demo [######------]  50% 1:15 left network\n", terminal.ToString(), StringComparison.Ordinal);
        pane.Update(new ProgressRecord(1, "Creating demo", "done") { RecordType = ProgressRecordType.Completed });
        Assert.EndsWith("\u001b[1A\r\u001b[J", terminal.ToString(), StringComparison.Ordinal);
        Assert.All(Enumerable.Range(20, 60), width => Assert.True(ProgressPane.Line(new ProgressRecord(1, "Activity", new string('x', 200)) { PercentComplete = 100 }, width).Length < width));
    }

    private static Process StartInteractive()
    {
        // Under nohup SIGINT is ignored, and what is ignored is inherited: env gives the shell back what a terminal would.
        var (program, first) = OperatingSystem.IsLinux() ? ("env", new[] { "--default-signal=INT", "dotnet" }) : ("dotnet", []);
        var start = new ProcessStartInfo(program, [.. first, ShellProcess.Path, "-NoLogo"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in ShellProcess.CleanEnvironment)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        process.BeginErrorReadLine();
        return process;
    }

    private static string[] Lines(string text) => text.Split(['\n', '\r'], StringSplitOptions.RemoveEmptyEntries);

    // An argument "SCRIPT:text" becomes the path of a script with that text.
    private static TemporaryScript? Materialize(ref string[] arguments)
    {
        var at = Array.FindIndex(arguments, a => a.StartsWith("SCRIPT:", StringComparison.Ordinal));
        if (at < 0)
        {
            return null;
        }

        var script = new TemporaryScript(arguments[at]["SCRIPT:".Length..]);
        arguments = [.. arguments[..at], script.Path, .. arguments[(at + 1)..]];
        return script;
    }

    private sealed class TemporaryScript : IDisposable
    {
        public TemporaryScript(string text)
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
            File.WriteAllText(Path, text);
        }

        public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"inferloop-{Guid.NewGuid():N}", "test.ps1");

        public void Dispose() => Directory.Delete(System.IO.Path.GetDirectoryName(Path)!, recursive: true);
    }

    // Characters as keys; <Left>, <CtrlA> and the like by name.
    private sealed class ScriptedKeys(string script) : IKeySource
    {
        private int at;

        public ConsoleKeyInfo ReadKey()
        {
            var character = script[at++];
            if (character == '<')
            {
                var end = script.IndexOf('>', at);
                var name = script[at..end];
                at = end + 1;
                return name.StartsWith("Ctrl", StringComparison.Ordinal)
                    ? new ConsoleKeyInfo((char)(name[4] - 'A' + 1), Enum.Parse<ConsoleKey>(name[4..]), false, false, true)
                    : new ConsoleKeyInfo('\0', Enum.Parse<ConsoleKey>(name is "Left" or "Up" or "Down" ? name + "Arrow" : name), false, false, false);
            }

            return character switch
            {
                '\r' => new ConsoleKeyInfo('\r', ConsoleKey.Enter, false, false, false),
                '\b' => new ConsoleKeyInfo('\b', ConsoleKey.Backspace, false, false, false),
                '\t' => new ConsoleKeyInfo('\t', ConsoleKey.Tab, false, false, false),
                _ => new ConsoleKeyInfo(character, ConsoleKey.NoName, char.IsUpper(character), false, false),
            };
        }
    }
}

using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace Inferloop.Shell.Hosting;

// Questions. Where there is no one to ask, asking is an error, in pwsh's words.
internal sealed partial class ShellUserInterface : IHostUISupportsMultipleChoiceSelection
{
    public override string ReadLine() => ReadAnswer();

    public override SecureString ReadLineAsSecureString()
    {
        var secret = new SecureString();
        if (Console.IsInputRedirected)
        {
            foreach (var character in ReadAnswer())
            {
                secret.AppendChar(character);
            }

            secret.MakeReadOnly();
            return secret;
        }

        EnsureInteractive();
        while (true)
        {
            var key = Console.ReadKey(intercept: true);
            if (key.Key == ConsoleKey.Enter)
            {
                WriteLine();
                secret.MakeReadOnly();
                return secret;
            }

            if (key.Key == ConsoleKey.Backspace)
            {
                if (secret.Length > 0)
                {
                    secret.RemoveAt(secret.Length - 1);
                    Write("\b \b");
                }
            }
            else if (!char.IsControl(key.KeyChar))
            {
                secret.AppendChar(key.KeyChar);
                Write("*");
            }
        }
    }

    public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions)
    {
        EnsureInteractive();
        WriteCaption(caption, message);
        var answers = new Dictionary<string, PSObject>(StringComparer.OrdinalIgnoreCase);
        foreach (var field in descriptions)
        {
            var label = string.IsNullOrEmpty(field.Label) ? field.Name : field.Label.Replace("&", "", StringComparison.Ordinal);
            var type = LanguagePrimitives.ConvertTypeNameToPSTypeName(field.ParameterTypeName) is var name && Type.GetType(field.ParameterAssemblyFullName.Length > 0
                ? $"{field.ParameterTypeFullName}, {field.ParameterAssemblyFullName}" : field.ParameterTypeFullName) is { } found ? found : typeof(string);
            answers[field.Name] = PSObject.AsPSObject(type.IsArray || (typeof(System.Collections.IList).IsAssignableFrom(type)) ? ReadList(label) : ReadField(label, type));
        }

        return answers;
    }

    public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) =>
        PromptForCredential(caption, message, userName, targetName, PSCredentialTypes.Default, PSCredentialUIOptions.Default);

    public override PSCredential PromptForCredential(
        string caption, string message, string userName, string targetName, PSCredentialTypes allowedCredentialTypes, PSCredentialUIOptions options)
    {
        EnsureInteractive();
        WriteCaption(caption, message);
        if (string.IsNullOrEmpty(userName))
        {
            Write("User: ");
            userName = ReadAnswer();
        }

        Write($"Password for user {userName}: ");
        return new PSCredential(userName, ReadLineAsSecureString());
    }

    public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice)
    {
        EnsureInteractive();
        WriteCaption(caption, message);
        while (true)
        {
            Write(ChoiceLine(choices, defaultChoice >= 0 ? [defaultChoice] : []));
            var answer = ReadAnswer().Trim();
            if (answer.Length == 0 && defaultChoice >= 0)
            {
                return defaultChoice;
            }

            if (answer == "?")
            {
                WriteHelp(choices);
            }
            else if (Find(choices, answer) is >= 0 and var index)
            {
                return index;
            }
        }
    }

    public Collection<int> PromptForChoice(string? caption, string? message, Collection<ChoiceDescription> choices, IEnumerable<int>? defaultChoices)
    {
        EnsureInteractive();
        WriteCaption(caption, message);
        var defaults = defaultChoices?.ToList() ?? [];
        WriteLine(ChoiceLine(choices, defaults));
        var chosen = new Collection<int>();
        while (true)
        {
            Write($"Choice[{chosen.Count}]: ");
            var answer = ReadAnswer().Trim();
            if (answer.Length == 0)
            {
                return chosen.Count == 0 ? new Collection<int>(defaults) : chosen;
            }

            if (answer == "?")
            {
                WriteHelp(choices);
            }
            else if (Find(choices, answer) is >= 0 and var index && !chosen.Contains(index))
            {
                chosen.Add(index);
            }
        }
    }

    private static int Find(Collection<ChoiceDescription> choices, string answer)
    {
        for (var i = 0; i < choices.Count; i++)
        {
            var (hotkey, label) = Split(choices[i]);
            if (answer.Equals(label, StringComparison.CurrentCultureIgnoreCase) || (hotkey.Length > 0 && answer.Equals(hotkey, StringComparison.CurrentCultureIgnoreCase)))
            {
                return i;
            }
        }

        return -1;
    }

    private static (string Hotkey, string Label) Split(ChoiceDescription choice)
    {
        var mark = choice.Label.IndexOf('&', StringComparison.Ordinal);
        return mark >= 0 && mark + 1 < choice.Label.Length
            ? (choice.Label.Substring(mark + 1, 1).ToUpper(CultureInfo.CurrentCulture), choice.Label.Remove(mark, 1))
            : ("", choice.Label);
    }

    private static string ChoiceLine(Collection<ChoiceDescription> choices, List<int> defaults)
    {
        var parts = choices.Select((choice, i) =>
        {
            var (hotkey, label) = Split(choice);
            var text = hotkey.Length > 0 ? $"[{hotkey}] {label}" : label;
            return defaults.Contains(i) ? Styled("\u001b[93m", text) : text;
        });
        var names = defaults.Select(i => Split(choices[i])).Select(c => c.Hotkey.Length > 0 ? c.Hotkey : c.Label);
        var end = defaults.Count switch
        {
            0 => "",
            1 => $" (default is \"{names.First()}\")",
            _ => $" (default choices are {string.Join(',', names)})",
        };
        return string.Join("  ", parts) + "  [?] Help" + end + ": ";
    }

    private void WriteHelp(Collection<ChoiceDescription> choices)
    {
        foreach (var choice in choices)
        {
            var (hotkey, label) = Split(choice);
            WriteLine($"{(hotkey.Length > 0 ? hotkey : label)} - {choice.HelpMessage}");
        }
    }

    private void WriteCaption(string? caption, string? message)
    {
        WriteLine();
        if (!string.IsNullOrEmpty(caption))
        {
            WriteLine(Styled("\u001b[1m", caption));
        }

        if (!string.IsNullOrEmpty(message))
        {
            WriteLine(message);
        }
    }

    private List<object> ReadList(string label)
    {
        var values = new List<object>();
        while (true)
        {
            Write($"{label}[{values.Count}]: ");
            var value = ReadAnswer();
            if (value.Length == 0)
            {
                return values;
            }

            values.Add(value);
        }
    }

    private object ReadField(string label, Type type)
    {
        Write(label + ": ");
        return type == typeof(SecureString) ? ReadLineAsSecureString()
            : type == typeof(PSCredential) ? PromptForCredential("", "", "", "")
            : ReadAnswer();
    }

    private string ReadAnswer()
    {
        EnsureInteractive();
        EndProgress();
        Console.Out.Flush();
        return Console.In.ReadLine() ?? throw Refused();
    }

    private void EnsureInteractive()
    {
        if (nonInteractive)
        {
            throw Refused();
        }
    }

    private static HostException Refused() => new("PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.");
}

using System.Collections;
using System.Management.Automation;

namespace Inferloop.PowerShell.Commands.TemplateFile;

/// <summary>Template parameters as a user gives them.</summary>
internal static class TemplateParameters
{
    /// <summary>Each value as CloudFormation writes it: switches as true and false, lists with commas.</summary>
    public static IReadOnlyDictionary<string, string> Of(Hashtable? given)
    {
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry parameter in given ?? [])
        {
            parameters[parameter.Key.ToString()!] = parameter.Value switch
            {
                bool b => b ? "true" : "false",
                IEnumerable list and not string => string.Join(',', list.Cast<object?>().Select(LanguagePrimitives.ConvertTo<string>)),
                var v => LanguagePrimitives.ConvertTo<string>(v),
            };
        }

        return parameters;
    }
}

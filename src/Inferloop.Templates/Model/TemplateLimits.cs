namespace Inferloop.Templates;

/// <summary>The quotas of CloudFormation that no one can raise.</summary>
internal static class TemplateLimits
{
    public const int Resources = 500;
    public const int Parameters = 200;
    public const int Outputs = 200;
    public const int Mappings = 200;
    public const int MappingAttributes = 200;
    public const int DescriptionLength = 1024;

    public static void Check(Template template, List<Diagnostic> diagnostics)
    {
        Count(template.Resources.Count, Resources, "resources", "Move some into nested stacks.", diagnostics);
        Count(template.Parameters.Count, Parameters, "parameters", "Combine some into lists.", diagnostics);
        Count(template.Outputs.Count, Outputs, "outputs", "", diagnostics);
        Count(template.Mappings.Count, Mappings, "mappings", "", diagnostics);
        foreach (var mapping in template.Mappings.Values)
        {
            if (mapping.Values.Count > MappingAttributes)
            {
                diagnostics.Add(new Diagnostic(DiagnosticCodes.LimitExceeded, DiagnosticSeverity.Error,
                    $"The mapping '{mapping.Name}' has {mapping.Values.Count} keys; CloudFormation allows {MappingAttributes}.", mapping.Location, "Mappings." + mapping.Name));
            }
        }

        if (template.Description is { } description && System.Text.Encoding.UTF8.GetByteCount(description) > DescriptionLength)
        {
            diagnostics.Add(new Diagnostic(DiagnosticCodes.LimitExceeded, DiagnosticSeverity.Error,
                $"The description is longer than {DescriptionLength:N0} bytes.", template.Root["Description"]?.Location, "Description"));
        }
    }

    public static void Count(int count, int limit, string what, string advice, List<Diagnostic> diagnostics)
    {
        if (count > limit)
        {
            diagnostics.Add(new Diagnostic(DiagnosticCodes.LimitExceeded, DiagnosticSeverity.Error,
                $"The template has {count} {what}; CloudFormation allows {limit}.{(advice.Length > 0 ? " " + advice : "")}", null, null));
        }
    }
}

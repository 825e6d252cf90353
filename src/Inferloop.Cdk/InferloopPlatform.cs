using Amazon.CDK;
using Amazon.CDK.CloudFormation.Include;
using Constructs;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Inferloop.Templates;

namespace Inferloop.Cdk;

/// <summary>
/// An Inferloop environment: the module's own templates, included as they are, with the spec's values as the defaults of their parameters.
/// What is synthesised is what the cmdlets deploy; there is no second description of the infrastructure here.
/// </summary>
public sealed class InferloopPlatform : Construct
{
    private readonly CfnInclude include;

    /// <summary>Includes the templates in a stack.</summary>
    /// <param name="scope">The stack. One stack holds one environment, because the templates' logical ids are kept.</param>
    /// <param name="id">The construct's id.</param>
    /// <param name="props">Spec and templates.</param>
    /// <exception cref="Operations.OperationException">The spec has errors; each is in the message.</exception>
    /// <exception cref="TemplateException">A template cannot be read.</exception>
    public InferloopPlatform(Construct scope, string id, InferloopPlatformProps props)
        : base(scope, id)
    {
        ArgumentNullException.ThrowIfNull(props);
        Spec = props.Spec;
        var errors = SpecValidator.Validate(Spec).Where(f => f.Severity == SpecFindingSeverity.Error).ToList();
        if (errors.Count > 0)
        {
            throw SpecErrors.Invalid(Spec.Name, errors);
        }

        var root = Path.Combine(props.TemplateFolder ?? Path.Combine(AppContext.BaseDirectory, "templates"), "main.yaml");
        include = new CfnInclude(this, "Templates", IncludeOf(root));
        SetDefaults();
        RestoreNestedTags(include, Template.Load(root));
    }

    /// <summary>The environment's spec.</summary>
    public InferloopEnvironmentSpec Spec { get; }

    /// <summary>The logical ids of the nested stacks: Network, Security, Storage and so on.</summary>
    public IReadOnlyList<string> NestedStacks { get; private set; } = [];

    /// <summary>A nested stack, to reach its resources or to add to it.</summary>
    /// <param name="logicalId">One of <see cref="NestedStacks"/>.</param>
    public NestedStack GetNestedStack(string logicalId) => include.GetNestedStack(logicalId).Stack;

    /// <summary>The typed resource of a nested stack.</summary>
    /// <param name="nestedStack">The nested stack's logical id, such as Storage.</param>
    /// <param name="logicalId">The resource's logical id, such as DataBucket.</param>
    public CfnResource GetResource(string nestedStack, string logicalId) => include.GetNestedStack(nestedStack).IncludedTemplate.GetResource(logicalId);

    /// <summary>The value of one of the environment's outputs, such as LoadBalancerDnsName, for other constructs to use.</summary>
    /// <param name="name">The output's name in main.yaml.</param>
    public string GetOutput(string name) => Token.AsString(include.GetOutput(name).Value);

    private static CfnIncludeProps IncludeOf(string path)
    {
        var nested = TemplateWriter.NestedTemplates(Template.Load(path))
            .ToDictionary(n => n.LogicalId, n => (ICfnIncludeProps)IncludeOf(Path.Combine(Path.GetDirectoryName(path)!, n.TemplateUrl)));
        return new CfnIncludeProps { TemplateFile = path, PreserveLogicalIds = true, LoadNestedStacks = nested.Count > 0 ? nested : null };
    }

    private void SetDefaults()
    {
        foreach (var (name, value) in SpecMembers.ToTemplateParameters(Spec))
        {
            include.GetParameter(name).Default = value;
        }
    }

    /// <summary>CfnInclude makes nested stacks anew and forgets their tags, by which costs are told apart.</summary>
    private void RestoreNestedTags(CfnInclude parent, Template template)
    {
        NestedStacks = [.. TemplateWriter.NestedTemplates(template).Select(n => n.LogicalId)];
        foreach (var id in NestedStacks)
        {
            if (template.Resources[id].Properties?["Tags"] is { } tags)
            {
                parent.GetResource(id).AddPropertyOverride("Tags", PlainValues.Of(Literals.ToValue(tags)));
            }
        }
    }
}

using System.Collections.Frozen;

namespace Inferloop.Templates;

/// <summary>The parameter types of CloudFormation.</summary>
internal static class ParameterTypes
{
    private const string SsmValue = "AWS::SSM::Parameter::Value<";

    private static readonly FrozenSet<string> s_resourceTypes = new[]
    {
        "AWS::EC2::AvailabilityZone::Name", "AWS::EC2::Image::Id", "AWS::EC2::Instance::Id", "AWS::EC2::KeyPair::KeyName",
        "AWS::EC2::SecurityGroup::GroupName", "AWS::EC2::SecurityGroup::Id", "AWS::EC2::Subnet::Id", "AWS::EC2::Volume::Id",
        "AWS::EC2::VPC::Id", "AWS::Route53::HostedZone::Id",
    }.ToFrozenSet(StringComparer.Ordinal);

    public static IEnumerable<string> All =>
        new[] { "String", "Number", "CommaDelimitedList", "List<Number>", "List<String>", "AWS::SSM::Parameter::Name" }
            .Concat(s_resourceTypes)
            .Concat(s_resourceTypes.Select(t => $"List<{t}>"))
            .Concat(["AWS::SSM::Parameter::Value<String>", "AWS::SSM::Parameter::Value<List<String>>", "AWS::SSM::Parameter::Value<CommaDelimitedList>"])
            .Concat(s_resourceTypes.SelectMany(t => new[] { $"{SsmValue}{t}>", $"{SsmValue}List<{t}>>" }));

    public static bool IsKnown(string type)
    {
        if (IsSystemsManagerValue(type))
        {
            var inner = Inner(type);
            return inner is "String" or "CommaDelimitedList" or "List<String>" || s_resourceTypes.Contains(ListElement(inner) ?? inner);
        }

        return type is "String" or "Number" or "CommaDelimitedList" or "AWS::SSM::Parameter::Name"
            || ListElement(type) is "Number" or "String"
            || s_resourceTypes.Contains(ListElement(type) ?? type);
    }

    public static bool IsSystemsManagerValue(string type) => type.StartsWith(SsmValue, StringComparison.Ordinal) && type.EndsWith('>');

    /// <summary>The type of the value itself: for a Systems Manager type what stands between the brackets.</summary>
    public static string Inner(string type) => IsSystemsManagerValue(type) ? type[SsmValue.Length..^1] : type;

    public static bool IsList(string type)
    {
        var inner = Inner(type);
        return inner == "CommaDelimitedList" || ListElement(inner) is not null;
    }

    public static string? ListElement(string type) =>
        type.StartsWith("List<", StringComparison.Ordinal) && type.EndsWith('>') ? type[5..^1] : null;
}

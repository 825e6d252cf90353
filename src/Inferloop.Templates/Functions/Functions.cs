namespace Inferloop.Templates;

/// <summary>The names of the intrinsic functions.</summary>
internal static class Functions
{
    public static IReadOnlyList<string> All { get; } =
    [
        "Ref", "Fn::And", "Fn::Base64", "Fn::Cidr", "Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn", "Fn::Equals", "Fn::FindInMap", "Fn::GetAZs", "Fn::GetAtt",
        "Fn::If", "Fn::ImportValue", "Fn::Join", "Fn::Length", "Fn::Not", "Fn::Or", "Fn::RefAll", "Fn::Select", "Fn::Split", "Fn::Sub", "Fn::ToJsonString",
        "Fn::Transform", "Fn::ValueOf", "Fn::ValueOfAll",
    ];

    public static bool IsFunction(string key) =>
        key == "Ref" || (key.StartsWith("Fn::", StringComparison.Ordinal) && !key.StartsWith("Fn::ForEach::", StringComparison.Ordinal));
}

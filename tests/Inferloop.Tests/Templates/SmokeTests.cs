using Inferloop.Templates;

namespace Inferloop.Tests.Templates;

public class SmokeTests
{
    [Fact]
    public async Task A_template_is_evaluated_in_dependency_order()
    {
        var stack = await TemplateTesting.EvaluateAsync("""
            Resources:
              Subnet:
                Type: AWS::EC2::Subnet
                Properties: {VpcId: !Ref Vpc, CidrBlock: !Select [1, !Cidr [10.0.0.0/16, 4, 8]]}
              Vpc:
                Type: AWS::EC2::VPC
                Properties: {CidrBlock: 10.0.0.0/16}
            """);
        Assert.Equal(["Vpc", "Subnet"], stack.Resources.Select(r => r.LogicalId));
        Assert.Equal("10.0.1.0/24", stack.Resources[1].Properties["CidrBlock"]!.AsString());
        Assert.Equal(["Vpc"], Assert.IsType<UnknownValue>(stack.Resources[1].Properties["VpcId"]).Sources);
    }
}

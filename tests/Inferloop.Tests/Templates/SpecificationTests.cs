using Inferloop.Templates;

namespace Inferloop.Tests.Templates;

public class SpecificationTests
{
    [Fact]
    public void Every_type_can_be_read()
    {
        var types = ResourceSpecification.Default.Types.Select(t => ResourceSpecification.Default.Find(t)!).ToList();
        Assert.True(types.Count > 1500, $"{types.Count} types");
        Assert.All(types, t => Assert.NotEmpty(t.Name));
        Assert.Null(ResourceSpecification.Default.Find("AWS::No::Such"));
    }

    [Fact]
    public void Update_types_are_those_of_AWSs_documentation()
    {
        PropertyUpdateType Update(string type, string property) => ResourceSpecification.Default.Find(type)!.Properties[property].UpdateType;
        Assert.Equal(PropertyUpdateType.Immutable, Update("AWS::S3::Bucket", "BucketName"));
        Assert.Equal(PropertyUpdateType.Mutable, Update("AWS::S3::Bucket", "Tags"));
        Assert.Equal(PropertyUpdateType.Immutable, Update("AWS::EC2::VPC", "CidrBlock"));
        Assert.Equal(PropertyUpdateType.Conditional, Update("AWS::EC2::VPC", "InstanceTenancy"));
        Assert.Equal(PropertyUpdateType.Immutable, Update("AWS::DynamoDB::Table", "TableName"));
        Assert.Equal(PropertyUpdateType.Immutable, Update("AWS::ECS::TaskDefinition", "ContainerDefinitions"));
        Assert.Equal(PropertyUpdateType.Mutable, Update("AWS::ECS::Service", "TaskDefinition"));
    }

    [Fact]
    public void Nested_types_belong_to_their_properties()
    {
        var service = ResourceSpecification.Default.Find("AWS::ECS::Service")!;
        Assert.Equal("LoadBalancer", service.Properties["LoadBalancers"].NestedTypeName);
        Assert.Equal(PropertyKind.Integer, service.Properties["LoadBalancers"].Type.Element!.Nested!.Properties["ContainerPort"].Type.Kind);
        Assert.Equal("AwsVpcConfiguration", service.Properties["NetworkConfiguration"].Type.Nested!.Properties["AwsvpcConfiguration"].NestedTypeName);
        Assert.Equal(["EC2", "FARGATE", "EXTERNAL"], service.Properties["LaunchType"].AllowedValues);
        Assert.True(service.IsTaggable);
        Assert.Equal(["ServiceArn"], service.RefIdentifier);
        Assert.Contains("Endpoint.Address", ResourceSpecification.Default.Find("AWS::RDS::DBInstance")!.Attributes.Keys);
        Assert.True(ResourceSpecification.Default.Find("AWS::EC2::SecurityGroup")!.Properties["GroupDescription"].Required);
    }
}

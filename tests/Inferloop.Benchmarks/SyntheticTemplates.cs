using System.Globalization;
using System.Text;
using Inferloop.Templates;

namespace Inferloop.Benchmarks;

/// <summary>
/// Made-up environments of any size for measuring the template engine: a root stack and nested stacks of at most 100 resources each, with
/// the mix of real templates: references between resources and stacks, conditions, mappings, tags, policies.
/// </summary>
public sealed class SyntheticTemplates : INestedTemplateSource
{
    private const int ResourcesPerStack = 100;
    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Template> _templates = new(StringComparer.Ordinal);

    private SyntheticTemplates(int resources)
    {
        var stacks = Math.Max(1, (resources + ResourcesPerStack - 1) / ResourcesPerStack);
        var root = new StringBuilder("AWSTemplateFormatVersion: '2010-09-09'\nParameters:\n  Stage: {Type: String, Default: dev, AllowedValues: [dev, prod]}\nResources:\n");
        for (var i = 0; i < stacks; i++)
        {
            // A nested stack is a resource too.
            var count = Math.Min(ResourcesPerStack, resources - i * ResourcesPerStack) - 1;
            var name = string.Create(CultureInfo.InvariantCulture, $"part{i}.yaml");
            root.Append(CultureInfo.InvariantCulture, $"  Part{i}:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: {name}\n      Parameters:\n        Stage: !Ref Stage\n");
            root.Append(i == 0 ? "        VpcId: vpc-0\n" : string.Create(CultureInfo.InvariantCulture, $"        VpcId: !GetAtt Part{i - 1}.Outputs.VpcId\n"));
            _texts[name] = Part(Math.Max(1, count));
        }

        Root = root.ToString();
        RootTemplate = Template.Parse(Root, "root.yaml");
        foreach (var (name, text) in _texts)
        {
            _templates[name] = Template.Parse(text, name);
        }
    }

    /// <summary>The root template's text.</summary>
    public string Root { get; }

    /// <summary>The root template, parsed.</summary>
    public Template RootTemplate { get; }

    /// <summary>The nested templates' texts by name.</summary>
    public IReadOnlyDictionary<string, string> Texts => _texts;

    /// <summary>Makes an environment with a number of resources in all, nested stacks among them.</summary>
    public static SyntheticTemplates Create(int resources) => new(resources);

    /// <summary>A context that finds the nested templates, parsed beforehand.</summary>
    public EvaluationContext Context(string stage = "dev") => new()
    {
        StackName = "inferloop-synthetic-dev",
        Region = "us-east-1",
        AccountId = "123456789012",
        Parameters = new Dictionary<string, string> { ["Stage"] = stage },
        NestedTemplates = this,
    };

    /// <inheritdoc/>
    public ValueTask<Template> LoadAsync(string templateUrl, Template parent, CancellationToken cancellationToken) => ValueTask.FromResult(_templates[templateUrl]);

    /// <summary>Parses all templates again.</summary>
    public int ParseAll()
    {
        var resources = Template.Parse(Root, "root.yaml").Resources.Count;
        foreach (var (name, text) in _texts)
        {
            resources += Template.Parse(text, name).Resources.Count;
        }

        return resources;
    }

    private static string Part(int count)
    {
        var text = new StringBuilder("""
            AWSTemplateFormatVersion: '2010-09-09'
            Parameters:
              Stage: {Type: String}
              VpcId: {Type: 'AWS::EC2::VPC::Id'}
            Mappings:
              Sizes: {dev: {Days: 30, Cpu: 256}, prod: {Days: 90, Cpu: 1024}}
            Conditions:
              IsProd: !Equals [!Ref Stage, prod]
            Resources:
              Group:
                Type: AWS::EC2::SecurityGroup
                Properties:
                  GroupDescription: !Sub 'of ${AWS::StackName}'
                  VpcId: !Ref VpcId

            """);
        for (var i = 1; i < count; i++)
        {
            text.Append(string.Format(CultureInfo.InvariantCulture, (i % 5) switch
            {
                0 => """
                      Topic{0}:
                        Type: AWS::SNS::Topic
                        Properties:
                          DisplayName: !Join ['-', [!Ref Stage, !Ref 'AWS::Region', '{0}']]
                          KmsMasterKeyId: !If [IsProd, alias/prod, !Ref 'AWS::NoValue']
                          Tags: [{{Key: Name, Value: !Sub '${{Stage}}-{0}'}}, {{Key: stage, Value: !Ref Stage}}]

                    """,
                1 => """
                      Log{0}:
                        Type: AWS::Logs::LogGroup
                        DeletionPolicy: Retain
                        Properties:
                          RetentionInDays: !FindInMap [Sizes, !Ref Stage, Days]
                          Tags: [{{Key: Name, Value: !Sub '${{Stage}}-{0}'}}, {{Key: stage, Value: !Ref Stage}}]

                    """,
                2 => """
                      Role{0}:
                        Type: AWS::IAM::Role
                        Properties:
                          AssumeRolePolicyDocument: {{Version: '2012-10-17', Statement: [{{Effect: Allow, Principal: {{Service: ecs-tasks.amazonaws.com}}, Action: 'sts:AssumeRole'}}]}}
                          Policies:
                            - PolicyName: logs
                              PolicyDocument:
                                Version: '2012-10-17'
                                Statement:
                                  - {{Effect: Allow, Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: !GetAtt 'Log{1}.Arn'}}

                    """,
                3 => """
                      Task{0}:
                        Type: AWS::ECS::TaskDefinition
                        Properties:
                          Cpu: !FindInMap [Sizes, !Ref Stage, Cpu]
                          Memory: 2048
                          TaskRoleArn: !GetAtt 'Role{1}.Arn'
                          ContainerDefinitions:
                            - Name: app
                              Image: !Sub '${{AWS::AccountId}}.dkr.ecr.${{AWS::Region}}.${{AWS::URLSuffix}}/app:{0}'
                              PortMappings: [{{ContainerPort: 8000}}]
                              Environment: [{{Name: STAGE, Value: !Ref Stage}}, {{Name: ROLE, Value: !Ref 'Role{1}'}}]

                    """,
                _ => """
                      Service{0}:
                        Type: AWS::ECS::Service
                        DependsOn: Group
                        Properties:
                          Cluster: default
                          DesiredCount: !If [IsProd, 3, 1]
                          TaskDefinition: !Ref 'Task{1}'
                          NetworkConfiguration: {{AwsvpcConfiguration: {{Subnets: [subnet-1, subnet-2], SecurityGroups: [!GetAtt Group.GroupId]}}}}

                    """,
            }, i, i - 1));
        }

        return text.Append("Outputs:\n  VpcId: {Value: !Ref VpcId}\n  Group: {Value: !GetAtt Group.GroupId}\n").ToString();
    }
}

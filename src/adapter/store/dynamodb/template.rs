//! The table for those who keep their cloud in files.

use crate::port::store::EXPIRES_AT;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    CloudFormation,
    Terraform,
}

/// On demand, with the removal of expired items, point-in-time recovery and protection from deletion.
pub fn print_template(template: Template, table: &str) -> String {
    match template {
        Template::CloudFormation => format!(
            r#"AWSTemplateFormatVersion: "2010-09-09"
Description: The table of Blue FaaS
Resources:
  BlueFaasTable:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      TableName: {table}
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - AttributeName: PK
          AttributeType: S
        - AttributeName: SK
          AttributeType: S
      KeySchema:
        - AttributeName: PK
          KeyType: HASH
        - AttributeName: SK
          KeyType: RANGE
      TimeToLiveSpecification:
        AttributeName: {EXPIRES_AT}
        Enabled: true
      PointInTimeRecoverySpecification:
        PointInTimeRecoveryEnabled: true
      DeletionProtectionEnabled: true
Outputs:
  TableArn:
    Value: !GetAtt BlueFaasTable.Arn
"#
        ),
        Template::Terraform => format!(
            r#"# The table of Blue FaaS
resource "aws_dynamodb_table" "blue_faas" {{
  name                        = "{table}"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "PK"
  range_key                   = "SK"
  deletion_protection_enabled = true

  attribute {{
    name = "PK"
    type = "S"
  }}

  attribute {{
    name = "SK"
    type = "S"
  }}

  ttl {{
    attribute_name = "{EXPIRES_AT}"
    enabled        = true
  }}

  point_in_time_recovery {{
    enabled = true
  }}

  lifecycle {{
    prevent_destroy = true
  }}
}}

output "table_arn" {{
  value = aws_dynamodb_table.blue_faas.arn
}}
"#
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_names_the_table_its_keys_and_what_expires() {
        for template in [Template::CloudFormation, Template::Terraform] {
            let text = print_template(template, "my-table");
            for word in ["my-table", "PK", "SK", "PAY_PER_REQUEST", EXPIRES_AT] {
                assert!(text.contains(word), "{word} is missing:\n{text}");
            }
        }
        let yaml = print_template(Template::CloudFormation, "my-table");
        let read: serde_json::Value =
            serde_yaml_ng::from_str(&yaml.replace("!GetAtt ", "")).unwrap();
        let table = &read["Resources"]["BlueFaasTable"]["Properties"];
        assert_eq!(table["KeySchema"][1]["KeyType"], "RANGE");
    }
}
